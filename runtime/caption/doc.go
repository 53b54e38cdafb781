// Package caption makes a plan speak: it opens the plan's frozen modules,
// encodes pictures and sounds, and turns what the language region says into
// captions.
package caption
