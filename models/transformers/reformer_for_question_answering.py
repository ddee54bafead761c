# labels: test_group::transformers name::reformer_for_question_answering author::huggingface_pytorch task::question_answering family::reformer modality::text
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/reformer

ReformerForQuestionAnswering with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length = parse(["batch_size", "max_seq_length"])

config = transformers.ReformerConfig()
model = transformers.ReformerForQuestionAnswering(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
