// Package text turns text into token numbers and back.
//
// A [Spec], the `text:` part of a module's manifest, names either a vocabulary
// (one word a line, the project's own small models) or a tokenizer.json as
// Hugging Face's tokenizers library writes it (BPE, WordPiece or Unigram with
// their normalizers, pre-tokenizers, templates and decoders). [New] reads it.
//
// The tokenizer.json reader is our own: the Go libraries for it end the
// program on files they do not like, and a module may come from anywhere.
package text
