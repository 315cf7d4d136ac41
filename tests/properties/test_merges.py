"""Whatever is merged and parted between other commands, every document is right (ADR 0028)."""

from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.properties.test_projection_is_fresh import NIGHTLY, Programme

EXAMPLES, STEPS = (100, 80) if NIGHTLY else (6, 40)


class Doubles(Programme):
    """The same programme, where people are merged and parted every few commands."""

    merge_a, merge_b, merge_c, merge_d, merge_e = (Programme.merge,) * 5
    part_a, part_b, part_c, part_d = (Programme.part,) * 4
    link_a, unlink_a = Programme.link, Programme.undo_link
    send_a, send_b, send_c = (Programme.send,) * 3
    attend_a, finish_a = Programme.attend, Programme.move


def test_documents_are_right_however_people_are_merged_and_parted(sqlite_template: Path):
    Doubles.template = sqlite_template
    chosen = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=not NIGHTLY,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Doubles, settings=chosen)
