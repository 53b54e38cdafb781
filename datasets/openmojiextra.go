package datasets

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// openMojiEntry is what openmoji.json says of a picture.
type openMojiEntry struct{ Hexcode, Group, Subgroups, Annotation string }

// openMojiThings are the subgroups of OpenMoji's own pictures that show
// things; the others hold brands, flags, gestures and signs.
var openMojiThings = wordSet("animals-nature climate-environment emergency food-drink gardening healthcare objects people technology travel-places")

// openMojiCaption gives the caption of a picture that OpenMoji draws beyond
// Unicode, or "" where it shows no thing.
func (n *naming) openMojiCaption(e openMojiEntry) string {
	if e.Group != "extras-openmoji" || !openMojiThings[e.Subgroups] || filepath.Base(e.Hexcode) != e.Hexcode {
		return ""
	}
	return n.iconCaption(strings.ReplaceAll(e.Annotation, " ", "-"))
}

// readOpenMojiExtras reads the pictures that OpenMoji draws beyond Unicode.
func readOpenMojiExtras(c *Cache) ([]*Sample, error) {
	naming, err := c.readNaming()
	if err != nil {
		return nil, err
	}
	var entries []openMojiEntry
	if err := readJSON(c.path("openmoji", "package", "data", "openmoji.json"), 64<<20, &entries); err != nil {
		return nil, err
	}
	var samples []*Sample
	for _, e := range entries {
		caption := naming.openMojiCaption(e)
		file := c.path("openmoji", "package", "color", "svg", e.Hexcode+".svg")
		if _, err := os.Stat(file); caption == "" || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		samples = append(samples, &Sample{
			ID: "openmoji-extras/" + e.Hexcode, Source: "openmoji-extras", Category: e.Subgroups, Concept: naming.concept(caption),
			Captions: []string{caption}, Image: drawingFile(c, file), Mirror: mayMirror(caption),
		})
	}
	return samples, nil
}
