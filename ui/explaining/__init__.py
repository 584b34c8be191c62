"""The parts of *Expliquer*: a demand, the rules, the money."""
