"""The authorization server: clients, tokens and the token endpoint, without the web."""
