package text

import (
	"slices"
	"strings"
	"testing"
)

func newTokenizer(t testing.TB, s Spec, file string) Tokenizer {
	t.Helper()
	k, err := New(&s, []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func encode(t *testing.T, k Tokenizer, s string) []int64 {
	t.Helper()
	ids, err := k.Encode(s)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return ids
}

func wantIDs(t *testing.T, k Tokenizer, s string, want ...int64) {
	t.Helper()
	if got := encode(t, k, s); !slices.Equal(got, want) {
		var names []string
		for _, id := range got {
			names = append(names, k.Token(id))
		}
		t.Errorf("%q became %v (%s), want %v", s, got, strings.Join(names, " "), want)
	}
}

const entries = "<pad>\n<unk>\n<s>\n</s>\na\nred\nhat\n,\njack-o-lantern\n"

func TestVocabulary(t *testing.T) {
	k := newTokenizer(t, Spec{Vocabulary: "v", Lower: true, Unknown: "<unk>"}, entries)
	wantIDs(t, k, "A RED hat!", 4, 5, 6)
	wantIDs(t, k, "a blue, red jack-o-lantern", 4, 1, 7, 5, 8)
	if got := k.Decode([]int64{2, 4, 5, 7, 6, 3, 99, -1}); got != "a red, hat" {
		t.Errorf("decoded %q", got)
	}
	if id, ok := k.ID("hat"); !ok || id != 6 || k.Token(6) != "hat" || k.Size() != 9 {
		t.Errorf("hat is %d (%v), 6 is %q of %d", id, ok, k.Token(6), k.Size())
	}
	framed := newTokenizer(t, Spec{Vocabulary: "v", Start: "<s>", End: "</s>", Pad: "<pad>", Length: 6}, entries)
	wantIDs(t, framed, "a hat", 2, 4, 6, 3, 0, 0)
	wantIDs(t, framed, "a red red red red hat", 2, 4, 5, 5, 5, 3)
	wantIDs(t, framed, "blue", 2, 3, 0, 0, 0, 0)
	if _, err := newTokenizer(t, Spec{Vocabulary: "v"}, entries).Encode("blue"); err == nil {
		t.Error("a text without a known word gave no error")
	}
	for name, s := range map[string]struct {
		spec Spec
		file string
	}{
		"repeats":  {Spec{Vocabulary: "v"}, "a\nb\na\n"},
		"is empty": {Spec{Vocabulary: "v"}, "a\n\nb\n"},
		"no entry": {Spec{Vocabulary: "v", Start: "<bos>"}, entries},
		"neither":  {Spec{}, entries},
	} {
		if _, err := New(&s.spec, []byte(s.file)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want an error with %q", err, name)
		}
	}
}

// wordPieceFile is a small BERT tokenizer.
const wordPieceFile = `{
 "added_tokens": [{"id": 0, "content": "[PAD]", "special": true}, {"id": 2, "content": "[CLS]", "special": true}, {"id": 3, "content": "[SEP]", "special": true}],
 "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
 "pre_tokenizer": {"type": "BertPreTokenizer"},
 "post_processor": {"type": "TemplateProcessing",
   "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
   "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2]}, "[SEP]": {"id": "[SEP]", "ids": [3]}}},
 "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
 "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 20,
   "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "un": 4, "##aff": 5, "##able": 6, "cafe": 7, "!": 8, "中": 9, "the": 10, "##s": 11}}}`

func TestWordPiece(t *testing.T) {
	k := newTokenizer(t, Spec{Tokenizer: "t"}, wordPieceFile)
	wantIDs(t, k, "UNaffable café!", 2, 4, 5, 6, 7, 8, 3)
	wantIDs(t, k, "the中xyz", 2, 10, 9, 1, 3)
	wantIDs(t, k, strings.Repeat("un", 11), 2, 1, 3)
	wantIDs(t, k, "the[SEP]the", 2, 10, 3, 10, 3)
	bounded := newTokenizer(t, Spec{Tokenizer: "t", Max: 5}, wordPieceFile)
	wantIDs(t, bounded, "UNaffable café!", 2, 4, 5, 6, 3)
	wantIDs(t, bounded, "the unaff", 2, 10, 4, 5, 3)
	wantIDs(t, bounded, "the the the the", 2, 10, 10, 10, 3)
	if _, err := New(&Spec{Tokenizer: "t", Max: 2}, []byte(wordPieceFile)); err == nil || !strings.Contains(err.Error(), "leave no room") {
		t.Errorf("two tokens of which none is the text's: %v", err)
	}
	if got := k.Decode([]int64{2, 4, 5, 6, 7, 11, 8, 3}); got != "unaffable cafes!" {
		t.Errorf("decoded %q", got)
	}
}

// bpeFile is a small GPT-2 tokenizer: bytes as letters, Ġ for a space.
const bpeFile = `{
 "added_tokens": [{"id": 12, "content": "<|end|>", "special": true}],
 "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
 "decoder": {"type": "ByteLevel"},
 "model": {"type": "BPE", "merges": ["h e", "l l", "Ġ w", "he ll", "hell o", ["Ã", "©"]],
   "vocab": {"h": 0, "e": 1, "l": 2, "o": 3, "Ġ": 4, "w": 5, "he": 6, "ll": 7, "Ġw": 8, "hell": 9, "hello": 10, "!": 11, "Ã": 13, "©": 14, "Ã©": 15}}}`

func TestByteLevelBPE(t *testing.T) {
	file := strings.ReplaceAll(bpeFile, `["Ã", "©"]`, `"Ã ©"`)
	k := newTokenizer(t, Spec{Tokenizer: "t"}, file)
	wantIDs(t, k, "hello wo!", 10, 8, 3, 11)
	wantIDs(t, k, "hé<|end|>hell", 0, 15, 12, 9)
	wantIDs(t, k, "he  w", 6, 4, 8) // of two spaces the last joins the word
	if got := k.Decode([]int64{10, 8, 3, 11, 12, 0, 15}); got != "hello wo!hé" {
		t.Errorf("decoded %q", got)
	}
}

// clipFile ends words with </w>, as CLIP's tokenizer does.
const clipFile = `{
 "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": " "}, {"type": "Lowercase"}]},
 "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
   {"type": "Split", "pattern": {"Regex": "'s|'t|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"}, "behavior": "Removed", "invert": true},
   {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}]},
 "post_processor": {"type": "RobertaProcessing", "cls": ["<s>", 8], "sep": ["</s>", 9]},
 "decoder": {"type": "BPEDecoder", "suffix": "</w>"},
 "model": {"type": "BPE", "end_of_word_suffix": "</w>", "unk_token": "<u>", "merges": [["c", "a"], ["ca", "t</w>"], ["t", "h</w>"]],
   "vocab": {"c": 0, "a": 1, "t": 2, "t</w>": 3, "ca": 4, "cat</w>": 5, "<u>": 6, "a</w>": 7, "<s>": 8, "</s>": 9}}}`

func TestEndOfWordBPE(t *testing.T) {
	k := newTokenizer(t, Spec{Tokenizer: "t"}, clipFile)
	wantIDs(t, k, "A   Cat", 8, 7, 5, 9)
	wantIDs(t, k, "ac", 8, 1, 6, 9)
	if got := k.Decode([]int64{7, 5}); got != "a cat" {
		t.Errorf("decoded %q", got)
	}
}

// unigramFile is a small SentencePiece model.
const unigramFile = `{
 "normalizer": {"type": "Sequence", "normalizers": [{"type": "Precompiled", "precompiled_charsmap": ""}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]},
 "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},
 "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"},
 "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": false,
   "vocab": [["<unk>", 0], ["▁", -3], ["a", -4], ["b", -4], ["ab", -5], ["▁a", -3.5], ["▁ab", -9], ["1", -4]]}}`

func TestUnigram(t *testing.T) {
	k := newTokenizer(t, Spec{Tokenizer: "t"}, unigramFile)
	// ▁a + b costs 7.5, ▁ + ab 8, ▁ab 9.
	wantIDs(t, k, "ab", 5, 3)
	wantIDs(t, k, "ab  a①", 5, 3, 5, 7) // NFKC turns ① into 1
	wantIDs(t, k, "xyb", 1, 0, 3)       // neighbouring unknowns are one
	if got := k.Decode([]int64{5, 3, 5}); got != "ab a" {
		t.Errorf("decoded %q", got)
	}
}

func TestBrokenTokenizers(t *testing.T) {
	for _, f := range []string{
		"", "{}", "[]", `{"model": {}}`, `{"model": {"type": "Frob", "vocab": {}}}`,
		`{"model": {"type": "BPE", "vocab": {"a": -1}, "merges": []}}`,
		`{"model": {"type": "BPE", "vocab": {"a": 99999999999}, "merges": []}}`,
		`{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [["a"]]}}`,
		`{"model": {"type": "WordPiece", "vocab": {"a": 0}, "unk_token": "u"}}`,
		`{"model": {"type": "Unigram", "vocab": [["a"]]}}`,
		`{"model": {"type": "WordLevel", "vocab": {"a": 0}}, "pre_tokenizer": {"type": "Nonsense"}}`,
		`{"model": {"type": "WordLevel", "vocab": {"a": 0}}, "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "("}, "behavior": "Removed"}}`,
		`{"model": {"type": "WordLevel", "vocab": {"a": 0}}, "post_processor": {"type": "BertProcessing", "cls": ["a", -9], "sep": ["a", 0]}}`,
		`{"model": {"type": "WordLevel", "vocab": {"a": 0}}, "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "a"}}], "special_tokens": {"a": {"ids": [-1]}}}}`,
	} {
		if _, err := New(&Spec{Tokenizer: "t"}, []byte(f)); err == nil {
			t.Errorf("accepted %s", f)
		}
	}
}

func FuzzTokenizer(f *testing.F) {
	for _, s := range []string{wordPieceFile, bpeFile, clipFile, unigramFile} {
		f.Add([]byte(s), "hello wo! the中xyz")
	}
	f.Fuzz(func(t *testing.T, file []byte, s string) {
		k, err := New(&Spec{Tokenizer: "t"}, file)
		if err != nil || len(s) > 4096 {
			return
		}
		ids, err := k.Encode(s)
		if err != nil {
			return
		}
		for _, id := range ids {
			if id < 0 {
				t.Fatalf("token %d", id)
			}
		}
		k.Decode(ids)
	})
}
