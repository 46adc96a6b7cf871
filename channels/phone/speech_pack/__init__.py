"""The speech pack: synthesis and recognition in a process of their own, run by the pack's own interpreter.

Imports nothing of ours. Where the pack is not installed (`make speech`), everything else works without it; what of this
folder the gateway itself uses is sound.py and pack.py.
"""
