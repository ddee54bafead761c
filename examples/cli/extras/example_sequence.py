"""A build sequence for --sequence-file: export the model, and neither optimize nor convert it."""

from turnkeyml.sequence import Sequence

sequence = Sequence("export-pytorch", name="example")
