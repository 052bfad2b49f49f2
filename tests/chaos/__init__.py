"""Proof by exhaustion that sending survives: see docs/decisions/proof.md."""
