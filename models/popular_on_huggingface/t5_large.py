# labels: test_group::popular_on_huggingface name::t5_large author::google-t5 task::text2text_generation family::t5 modality::text
"""https://huggingface.co/google-t5/t5-large

google-t5/t5-large: T5ForConditionalGeneration with its published sizes, and random weights unless
asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.T5Config(
    d_model=1024,
    d_ff=4096,
    num_layers=24,
    num_decoder_layers=24,
    num_heads=16,
    decoder_start_token_id=0,
)
if pretrained:
    model = transformers.T5ForConditionalGeneration.from_pretrained("google-t5/t5-large")
else:
    model = transformers.T5ForConditionalGeneration(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
    "decoder_input_ids": torch.randint(0, config.vocab_size, shape),
}

model(**inputs)
