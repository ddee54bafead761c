# labels: test_group::transformers name::smollm3_for_sequence_classification author::huggingface_pytorch task::text_classification family::smollm3 modality::text config::reduced
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/smollm3

SmolLM3ForSequenceClassification with random weights and the default configuration of its library,
but 2 of its 36 layers, so that it fits a small machine.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length = parse(["batch_size", "max_seq_length"])

config = transformers.SmolLM3Config(num_hidden_layers=2)
model = transformers.SmolLM3ForSequenceClassification(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
