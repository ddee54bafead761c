# labels: test_group::popular_on_huggingface name::pegasus_xsum author::google task::text2text_generation family::pegasus modality::text
"""https://huggingface.co/google/pegasus-xsum

google/pegasus-xsum: PegasusForConditionalGeneration with its published sizes, and random weights
unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.PegasusConfig(vocab_size=96103, encoder_layers=16, decoder_layers=16)
if pretrained:
    model = transformers.PegasusForConditionalGeneration.from_pretrained("google/pegasus-xsum")
else:
    model = transformers.PegasusForConditionalGeneration(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
    "decoder_input_ids": torch.randint(0, config.vocab_size, shape),
}

model(**inputs)
