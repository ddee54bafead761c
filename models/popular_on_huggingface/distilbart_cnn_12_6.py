# labels: test_group::popular_on_huggingface name::distilbart_cnn_12_6 author::sshleifer task::text2text_generation family::bart modality::text
"""https://huggingface.co/sshleifer/distilbart-cnn-12-6

sshleifer/distilbart-cnn-12-6: BartForConditionalGeneration with its published sizes, and random
weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.BartConfig(vocab_size=50264, decoder_layers=6)
if pretrained:
    model = transformers.BartForConditionalGeneration.from_pretrained(
        "sshleifer/distilbart-cnn-12-6"
    )
else:
    model = transformers.BartForConditionalGeneration(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
    "decoder_input_ids": torch.randint(0, config.vocab_size, shape),
}

model(**inputs)
