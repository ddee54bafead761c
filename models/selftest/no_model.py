# labels: test_group::selftest_failing name::no_model author::turnkey task::test
"""A script that is expected to fail: it makes a model and never calls it. Made for testing."""

import torch

torch.manual_seed(0)

model = torch.nn.Linear(10, 10)
