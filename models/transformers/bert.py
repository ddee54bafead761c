# labels: test_group::transformers name::bert author::huggingface_pytorch task::fill_mask
"""https://huggingface.co/docs/transformers/model_doc/bert

BERT base: the encoder with its default configuration (12 layers, 768 wide) and random weights.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length = parse(["batch_size", "max_seq_length"])

config = transformers.BertConfig()
model = transformers.BertModel(config)
model.eval()

inputs = {
    "input_ids": torch.randint(0, config.vocab_size, (batch_size, max_seq_length)),
    "attention_mask": torch.ones(batch_size, max_seq_length, dtype=torch.long),
}

model(**inputs)
