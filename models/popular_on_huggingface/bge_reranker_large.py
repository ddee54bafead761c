# labels: test_group::popular_on_huggingface name::bge_reranker_large author::baai task::text_classification family::xlmroberta modality::text
"""https://huggingface.co/BAAI/bge-reranker-large

BAAI/bge-reranker-large: XLMRobertaForSequenceClassification with its published sizes, and random
weights unless asked.
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
    num_labels=1,
)
if pretrained:
    model = transformers.XLMRobertaForSequenceClassification.from_pretrained(
        "BAAI/bge-reranker-large"
    )
else:
    model = transformers.XLMRobertaForSequenceClassification(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
