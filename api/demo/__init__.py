"""The demo: a deterministic programme with two hospitals, loaded through the domain."""
