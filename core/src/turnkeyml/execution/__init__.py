"""Running a plan: inputs, their models and the steps of each, one after the other."""
