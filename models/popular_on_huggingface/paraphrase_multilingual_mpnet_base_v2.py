# labels: test_group::popular_on_huggingface name::paraphrase_multilingual_mpnet_base_v2 author::sentence-transformers task::feature_extraction family::xlmroberta modality::text
"""https://huggingface.co/sentence-transformers/paraphrase-multilingual-mpnet-base-v2

sentence-transformers/paraphrase-multilingual-mpnet-base-v2: XLMRobertaModel with its published
sizes, and random weights unless asked.
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
)
if pretrained:
    model = transformers.XLMRobertaModel.from_pretrained(
        "sentence-transformers/paraphrase-multilingual-mpnet-base-v2"
    )
else:
    model = transformers.XLMRobertaModel(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
