"""The parts of the example county that scripts/make_demo.py writes: land, people, sites."""
