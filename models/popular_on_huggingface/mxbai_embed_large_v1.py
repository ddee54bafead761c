# labels: test_group::popular_on_huggingface name::mxbai_embed_large_v1 author::mixedbread-ai task::feature_extraction family::bert modality::text
"""https://huggingface.co/mixedbread-ai/mxbai-embed-large-v1

mixedbread-ai/mxbai-embed-large-v1: BertModel with its published sizes, and random weights unless
asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.BertConfig(
    hidden_size=1024,
    num_hidden_layers=24,
    num_attention_heads=16,
    intermediate_size=4096,
)
if pretrained:
    model = transformers.BertModel.from_pretrained("mixedbread-ai/mxbai-embed-large-v1")
else:
    model = transformers.BertModel(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
