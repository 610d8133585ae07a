"""Tests of all parts; what several folders need is in `support`."""
