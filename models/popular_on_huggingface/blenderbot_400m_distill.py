# labels: test_group::popular_on_huggingface name::blenderbot_400m_distill author::facebook task::text2text_generation family::blenderbot modality::text
"""https://huggingface.co/facebook/blenderbot-400M-distill

facebook/blenderbot-400M-distill: BlenderbotForConditionalGeneration with its published sizes, and
random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.BlenderbotConfig(
    d_model=1280,
    decoder_layers=12,
    encoder_ffn_dim=5120,
    decoder_ffn_dim=5120,
)
if pretrained:
    model = transformers.BlenderbotForConditionalGeneration.from_pretrained(
        "facebook/blenderbot-400M-distill"
    )
else:
    model = transformers.BlenderbotForConditionalGeneration(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
    "decoder_input_ids": torch.randint(0, config.vocab_size, shape),
}

model(**inputs)
