"""What the office does: plain functions of values. No Flask, no commit; each raises our errors."""
