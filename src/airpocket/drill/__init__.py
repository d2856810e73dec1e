"""The practice squeeze: a scenario of the lab, a paper position in it, and the exits scored afterwards."""
