# labels: test_group::popular_on_huggingface name::mt5_small author::google task::text2text_generation family::mt5 modality::text
"""https://huggingface.co/google/mt5-small

google/mt5-small: MT5ForConditionalGeneration with its published sizes, and random weights unless
asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.MT5Config(feed_forward_proj="gated-gelu")
if pretrained:
    model = transformers.MT5ForConditionalGeneration.from_pretrained("google/mt5-small")
else:
    model = transformers.MT5ForConditionalGeneration(config)
    # The published model does not share its output layer with its embeddings.
    model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
    "decoder_input_ids": torch.randint(0, config.vocab_size, shape),
}

model(**inputs)
