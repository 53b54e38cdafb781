package datasets

// Split says what a sample may be used for.
type Split string

// The three splits. Nothing may be chosen by looking at Test.
const (
	Train Split = "train"
	Val   Split = "val"
	Test  Split = "test"
)

// Sample is one row: a picture, a sound, or both, with what people wrote
// about it.
type Sample struct {
	// ID is unique and stable, for example "stamps/animals/birds/crow".
	ID string
	// Source is the name of the source: "stamps", "emoji-google", ...
	Source string
	// Category is the source's own heading, for example "animals/birds".
	Category string
	// Concept names what is shown: an emoji's code points without FE0F, or
	// the normalised caption.
	Concept string
	// Captions are clean English captions, the main one first.
	Captions []string
	// Keywords are tags, for retrieval and for word targets; may be empty.
	Keywords []string

	// Image is the picture, or nil.
	Image *Picture
	// Sound is a sound that the subject makes, or nil.
	Sound *Clip
	// Speech is an English voice that says the caption, or nil.
	Speech *Clip

	// Mirror says that the picture may be flipped left to right without
	// making its captions wrong.
	Mirror bool
	// HeldStyle marks the drawing style that is kept out of training to
	// measure transfer to unseen styles.
	HeldStyle bool

	// Extra marks a sample that is for training only: a drawing whose caption
	// is the name of an icon, or made of a poor title, or a sound of a game
	// that is named by its file. It is always in Train, and no set but "extra"
	// and "extra-sounds" lists it.
	Extra bool

	// Component names the group of samples that share a concept, a caption
	// or a picture; a component lies in one split and one fold.
	Component string
	Split     Split
	// Fold is 0 to 4, for cross-validation of the few samples with sound.
	Fold int
}

// Caption is the main caption, empty if there is none.
func (s *Sample) Caption() string {
	if len(s.Captions) == 0 {
		return ""
	}
	return s.Captions[0]
}
