# labels: test_group::transformers name::gpt_sw3_for_sequence_classification author::huggingface_pytorch task::text_classification family::gpt2 modality::text
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/gpt2

GPT2ForSequenceClassification with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length = parse(["batch_size", "max_seq_length"])

config = transformers.GPT2Config(pad_token_id=0)
model = transformers.GPT2ForSequenceClassification(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
