package format

import (
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// Label tables in XML: GIFTI's <LabelTable> (a surface of one hemisphere) and
// FSL's atlas files (<atlas><data><label index="0">name</label>).

// maxLabels bounds the entries of a label table.
const maxLabels = 1 << 20

func (s *source) xmlLabels() (entries []labelEntry, what string, err error) {
	text, closer, err := s.text()
	if err != nil {
		return nil, "", err
	}
	defer closer.Close()
	d := newXMLDecoder(text)
	root, side := "", connectome.UnknownHemisphere
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, "", s.xmlError(d, err)
		}
		e, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		name := e.Name.Local
		if root == "" {
			if root = name; root != "GIFTI" && root != "atlas" {
				return nil, "", nil
			}
		}
		switch {
		case root == "GIFTI" && name == "DataArray" && len(entries) > 0:
			if err := d.Skip(); err != nil { // which vertex has which label is not needed
				return nil, "", s.xmlError(d, err)
			}
		case root == "GIFTI" && name == "Value" && side == connectome.UnknownHemisphere:
			x := xmlReader{s, d, nil}
			v, err := x.text()
			if err != nil {
				return nil, "", s.xmlError(d, err)
			}
			switch strings.ToLower(strings.TrimSpace(v)) {
			case "cortexleft", "cortex_left", "left":
				side = connectome.Left
			case "cortexright", "cortex_right", "right":
				side = connectome.Right
			}
		case root == "GIFTI" && name == "Label", root == "atlas" && name == "label":
			l, err := s.xmlLabel(d, e, root)
			if err != nil {
				return nil, "", err
			}
			if entries = append(entries, l); len(entries) > maxLabels {
				return nil, "", s.failf(ErrTooLarge, 0, 0, "", "more than %d labels", maxLabels)
			}
		}
	}
	if what = "GIFTI label table"; root == "atlas" {
		what = "FSL atlas"
	}
	if len(entries) == 0 {
		return nil, "", s.failf(ErrLabels, 0, 0, "take the file that holds the parcellation (.label.gii), not the surface or the measures", "no label table in the %s file", root)
	}
	for i := range entries {
		entries[i].region.Hemisphere = side
	}
	return entries, what, nil
}

// xmlLabel reads one element of a label table.
func (s *source) xmlLabel(d *xml.Decoder, e xml.StartElement, root string) (labelEntry, error) {
	line, column := d.InputPos()
	number, ok := xmlAttr(e, "Key")
	if root == "atlas" {
		number, ok = xmlAttr(e, "index")
	}
	key, err := strconv.Atoi(strings.TrimSpace(number))
	if !ok || err != nil {
		return labelEntry{}, s.failf(ErrNumber, line, column, "", "a label without a whole number: %q", number)
	}
	x := xmlReader{s, d, nil}
	name, err := x.text()
	if err != nil {
		return labelEntry{}, s.xmlError(d, err)
	}
	if root == "atlas" {
		key++ // FSL counts regions from 0, and the voxels of its images from 1
	}
	return labelEntry{key: key, region: connectome.Region{Label: name}}, nil
}
