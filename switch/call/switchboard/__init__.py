"""All live calls: admits, drives, meters and ends them. The only part of `call` that waits.

Start at `board` (a call comes in), then `driver` (one call's life), `dialling` (the trunks, one
after the other), `metering` (the second hand), `trunks` (their health), `recovery` (after a crash).
"""
