# labels: test_group::popular_on_huggingface name::multilingual_e5_large author::intfloat task::feature_extraction family::xlmroberta modality::text
"""https://huggingface.co/intfloat/multilingual-e5-large

intfloat/multilingual-e5-large: XLMRobertaModel with its published sizes, and random weights unless
asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.XLMRobertaConfig(
    vocab_size=250002,
    max_position_embeddings=514,
    type_vocab_size=1,
    layer_norm_eps=1e-05,
    hidden_size=1024,
    num_hidden_layers=24,
    num_attention_heads=16,
    intermediate_size=4096,
)
if pretrained:
    model = transformers.XLMRobertaModel.from_pretrained("intfloat/multilingual-e5-large")
else:
    model = transformers.XLMRobertaModel(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
