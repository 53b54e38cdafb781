package format

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// Parcellations as images: NIfTI volumes whose voxels hold the number of their
// region, and CIFTI files with a table of labels (.dlabel.nii) or of parcels.

// imageLabels is what a volume is called; it has numbers, and names only where
// a program put them into the header.
const imageLabels = "NIfTI parcellation"

const (
	nifti1Size    = 348
	afniExtension = 4
)

// niftiHeader is what is needed of the headers of versions 1 and 2.
type niftiHeader struct {
	o          binary.ByteOrder
	cifti      bool
	intent     int
	dim        [8]int64
	datatype   uint16
	offset     int64
	slope      float64
	inter      float64
	extensions int           // where extensions begin
	affine     [3][4]float64 // voxel indices to mm
	placed     bool
}

// niftiHead reads the header.
func (s *source) niftiHead(data []byte) (h niftiHeader, err error) {
	h.o = binary.LittleEndian
	size := uint32(0)
	for _, o := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		if x := o.Uint32(data); x == nifti1Size || x == nifti2Size {
			h.o, size = o, x
			break
		}
	}
	o := h.o
	if len(data) < int(size)+4 {
		return h, s.failf(ErrTruncated, 0, 0, "fetch the file again", "the header is cut off")
	}
	f32 := func(at int) float64 { return float64(math.Float32frombits(o.Uint32(data[at:]))) }
	f64 := func(at int) float64 { return math.Float64frombits(o.Uint64(data[at:])) }
	var qform, sform int
	var q [6]float64 // quaternion b c d, offset x y z
	var pix [4]float64
	if size == nifti1Size {
		for i := range h.dim {
			h.dim[i] = int64(int16(o.Uint16(data[40+2*i:])))
		}
		h.intent, h.datatype = int(int16(o.Uint16(data[68:]))), o.Uint16(data[70:])
		h.offset, h.slope, h.inter = int64(f32(108)), f32(112), f32(116)
		qform, sform = int(int16(o.Uint16(data[252:]))), int(int16(o.Uint16(data[254:])))
		for i := range q {
			q[i] = f32(256 + 4*i)
		}
		for i := range pix {
			pix[i] = f32(76 + 4*i)
		}
		for i := range 12 {
			h.affine[i/4][i%4] = f32(280 + 4*i)
		}
		h.extensions = nifti1Size
	} else {
		for i := range h.dim {
			h.dim[i] = int64(o.Uint64(data[16+8*i:]))
		}
		h.intent, h.datatype = int(int32(o.Uint32(data[504:]))), o.Uint16(data[12:])
		h.offset, h.slope, h.inter = int64(o.Uint64(data[168:])), f64(176), f64(184)
		qform, sform = int(int32(o.Uint32(data[344:]))), int(int32(o.Uint32(data[348:])))
		for i := range q {
			q[i] = f64(352 + 8*i)
		}
		for i := range pix {
			pix[i] = f64(104 + 8*i)
		}
		for i := range 12 {
			h.affine[i/4][i%4] = f64(400 + 8*i)
		}
		h.extensions = nifti2Size
		h.cifti = h.intent >= 3000 && h.intent < 3100
	}
	if h.slope == 0 || math.IsNaN(h.slope) || math.IsInf(h.slope, 0) {
		h.slope, h.inter = 1, 0
	}
	if h.placed = sform > 0 || qform > 0; sform <= 0 && qform > 0 {
		h.affine = quaternAffine(q, pix)
	}
	for _, row := range h.affine {
		for _, x := range row {
			h.placed = h.placed && !math.IsNaN(x) && !math.IsInf(x, 0)
		}
	}
	return h, nil
}

// quaternAffine is method 2 of the NIfTI standard: a rotation, the sizes of
// voxels and an offset.
func quaternAffine(q [6]float64, pix [4]float64) (m [3][4]float64) {
	b, c, d := q[0], q[1], q[2]
	a := math.Sqrt(max(0, 1-b*b-c*c-d*d))
	rotation := [3][3]float64{
		{a*a + b*b - c*c - d*d, 2 * (b*c - a*d), 2 * (b*d + a*c)},
		{2 * (b*c + a*d), a*a + c*c - b*b - d*d, 2 * (c*d - a*b)},
		{2 * (b*d - a*c), 2 * (c*d + a*b), a*a + d*d - c*c - b*b},
	}
	for i := range 3 {
		for j := range 3 {
			m[i][j] = rotation[i][j] * pix[j+1]
			if j == 2 && pix[0] < 0 {
				m[i][j] = -m[i][j]
			}
		}
		m[i][3] = q[3+i]
	}
	return m
}

// niftiLabels reads the labels of a NIfTI or CIFTI file.
func (s *source) niftiLabels() (entries []labelEntry, what string, err error) {
	data, err := s.all()
	if err != nil {
		return nil, "", err
	}
	if len(data) < 8 {
		return nil, "", s.failf(ErrTruncated, 0, 0, "fetch the file again", "the header is cut off")
	}
	h, err := s.niftiHead(data)
	if err != nil {
		return nil, "", err
	}
	if h.cifti {
		entries, err = s.ciftiLabels(data, h)
		return entries, "CIFTI label table", err
	}
	if entries, err = s.volumeLabels(data, h); err != nil {
		return nil, "", err
	}
	if names := afniLabels(data, h); len(names) > 0 {
		return nameImage(entries, names), "NIfTI label table", nil
	}
	return entries, imageLabels, nil
}

// volumeLabels lists the numbers of a parcellation in ascending order, without
// 0, and where their voxels' centre lies.
func (s *source) volumeLabels(data []byte, h niftiHeader) ([]labelEntry, error) {
	count := int64(1)
	for i := 1; i <= 7; i++ {
		n := int64(1)
		if int64(i) <= h.dim[0] {
			n = h.dim[i]
		}
		if n < 1 || n > math.MaxInt32 || count > math.MaxInt32/n {
			return nil, s.failf(ErrCorrupt, 0, 0, "fetch the file again", "dimensions %v", h.dim)
		}
		if i > 3 && n > 1 {
			return nil, s.failf(ErrUnsupported, 0, 0, "take the parcellation with one number a voxel, not the map of probabilities or the time series", "an image of %d volumes", n)
		}
		count *= n
	}
	kind := map[uint16]string{2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}[h.datatype]
	width, decode := npyNumber(kind, h.o)
	if decode == nil {
		return nil, s.failf(ErrUnsupported, 0, 0, "save the parcellation as int32", "voxels of data type %d", h.datatype)
	}
	if h.offset < int64(h.extensions) || h.offset > int64(len(data)) || int64(len(data))-h.offset < count*int64(width) {
		return nil, s.failf(ErrTruncated, 0, 0, "fetch the file again", "%d bytes hold no %d voxels from byte %d on", len(data), count, h.offset)
	}
	type region struct {
		voxels int
		sum    [3]float64
	}
	regions := map[int]*region{}
	body := data[h.offset:]
	nx, ny := max(h.dim[1], 1), int64(1)
	if h.dim[0] > 1 {
		ny = h.dim[2]
	}
	for i := range count {
		x := h.slope*decode(body[i*int64(width):]) + h.inter
		if x == 0 {
			continue
		}
		if x != math.Trunc(x) || !(x > 0 && x < math.MaxInt32) {
			return nil, s.failf(ErrLabels, 0, 0, "take the parcellation, whose voxels hold the numbers of their regions", "voxel %d is %g, which numbers no region", i, x)
		}
		r := regions[int(x)]
		if r == nil {
			if len(regions) >= maxLabels {
				return nil, s.failf(ErrLabels, 0, 0, "is this a parcellation?", "more than %d numbers", maxLabels)
			}
			r = &region{}
			regions[int(x)] = r
		}
		r.voxels++
		for k, at := range [3]int64{i % nx, i / nx % ny, i / nx / ny} {
			r.sum[k] += float64(at)
		}
	}
	var entries []labelEntry
	for key, r := range regions {
		e := labelEntry{key: key}
		e.region.SetAttribute("id", strconv.Itoa(key))
		if h.placed {
			for k, row := range h.affine {
				e.region.Position[k] = row[3]
				for j := range 3 {
					e.region.Position[k] += row[j] * r.sum[j] / float64(r.voxels)
				}
			}
			e.region.Located = true
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b labelEntry) int { return a.key - b.key })
	if len(entries) == 0 {
		return nil, s.failf(ErrLabels, 0, 0, "is this a parcellation?", "all voxels are 0")
	}
	return entries, nil
}

// nameImage gives the regions of an image the names of a table.
func nameImage(image, names []labelEntry) []labelEntry {
	at := map[int]int{}
	for i, e := range names {
		at[e.key] = i
	}
	out := slices.Clone(image)
	for i := range out {
		if j, ok := at[out[i].key]; ok {
			out[i].region.Label = names[j].region.Label
			if out[i].region.Hemisphere == connectome.UnknownHemisphere {
				out[i].region.Hemisphere = names[j].region.Hemisphere
			}
		}
	}
	return out
}

// imageNames finds the table of names beside an image: x.tsv, x.txt, … for
// x.nii.gz.
func (s *source) imageNames(path string, image []labelEntry, all *labelKeys) error {
	stem := strings.TrimSuffix(strings.TrimSuffix(path, ".gz"), ".nii")
	for _, ending := range []string{".tsv", ".txt", ".csv", ".xml", ".lut", ".ctab", ".nii.txt", "_labels.tsv", "_labels.txt", "_labels.csv"} {
		p := stem + ending
		if fi, err := os.Stat(p); err != nil || !fi.Mode().IsRegular() {
			continue
		}
		entries, what, err := fileSource(p, s.cfg, s.rep).labelEntries()
		if err != nil {
			return err
		}
		if entries != nil {
			all.entries, all.from = entries, append(all.from, what+" "+filepath.Base(p))
			return nil
		}
	}
	keys := make([]string, 0, 4)
	for _, e := range image[:min(4, len(image))] {
		keys = append(keys, strconv.Itoa(e.key))
	}
	return s.failf(ErrLabels, 0, 0, "name both, for example --labels "+filepath.Base(path)+",FreeSurferColorLUT.txt; a table has a line such as \"1001 ctx-lh-bankssts 25 100 40 0\", or columns index and name",
		"%s numbers %d regions (%s, …) but names none, and there is no table of names beside it", path, len(image), strings.Join(keys, ", "))
}

// eachExtension calls do for every extension of the header until it says so.
func (h niftiHeader) eachExtension(data []byte, do func(code uint32, body []byte) (done bool)) error {
	if len(data) <= h.extensions || data[h.extensions] == 0 {
		return nil
	}
	at := h.extensions + 4
	for range niftiMaxHeadings {
		if at+8 > len(data) || int64(at) >= h.offset {
			return nil
		}
		size := int(int32(h.o.Uint32(data[at:])))
		if size < 8 || size > len(data)-at {
			return fmt.Errorf("an extension of %d bytes", size)
		}
		if do(h.o.Uint32(data[at+4:]), data[at+8:at+size]) {
			return nil
		}
		at += size
	}
	return nil
}

// afniLabels reads the table that AFNI's programs put into a header:
// VALUE_LABEL_DTABLE, of pairs "number" "name".
func afniLabels(data []byte, h niftiHeader) (entries []labelEntry) {
	_ = h.eachExtension(data, func(code uint32, body []byte) bool {
		at := bytes.Index(body, []byte("<VALUE_LABEL_DTABLE"))
		if code != afniExtension || at < 0 {
			return false
		}
		text := string(body[at:])
		_, text, _ = strings.Cut(text, ">")
		text, _, _ = strings.Cut(text, "</VALUE_LABEL_DTABLE")
		text = strings.NewReplacer("&quot;", `"`, `\"`, `"`, `\n`, " ").Replace(text)
		parts := strings.Split(text, `"`)
		for k := 1; k+2 < len(parts) && len(entries) < maxLabels; k += 4 {
			if key, err := strconv.Atoi(strings.TrimSpace(parts[k])); err == nil {
				entries = append(entries, labelEntry{key: key, region: connectome.Region{Label: parts[k+2]}})
			}
		}
		return true
	})
	return entries
}

// ciftiLabels reads the table of a .dlabel.nii, or the parcels of another
// CIFTI file.
func (s *source) ciftiLabels(data []byte, h niftiHeader) (entries []labelEntry, err error) {
	var text []byte
	if err := h.eachExtension(data, func(code uint32, body []byte) bool {
		if code == ciftiExtension {
			text = bytes.TrimRight(body, "\x00")
		}
		return text != nil
	}); err != nil {
		return nil, s.failf(ErrCorrupt, 0, 0, "fetch the file again", "%v", err)
	}
	if text == nil {
		return nil, s.failf(ErrCorrupt, 0, 0, "", "no CIFTI extension")
	}
	entries, parcels, err := s.ciftiTables(text)
	switch {
	case err != nil:
		return nil, err
	case len(entries) > 0:
		s.markAbsent(entries, data, h)
		return entries, nil
	case len(parcels) > 0:
		return parcels, nil
	}
	return nil, s.failf(ErrLabels, 0, 0, "take a .dlabel.nii, or a file of parcels such as .pconn.nii or .ptseries.nii", "a CIFTI file of intent %d has neither labels nor parcels", h.intent)
}

// ciftiTables reads the first table of labels and the first list of parcels.
func (s *source) ciftiTables(text []byte) (labels, parcels []labelEntry, err error) {
	d := newXMLDecoder(bytes.NewReader(text))
	tables, seen := 0, map[string]bool{}
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return labels, parcels, nil
		}
		if err != nil {
			return nil, nil, s.failf(ErrCorrupt, 0, 0, "fetch the file again", "the CIFTI header: %v", err)
		}
		start, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name.Local {
		case "LabelTable":
			tables++
		case "Label":
			if tables != 1 {
				continue
			}
			l, err := s.xmlLabel(d, start, "GIFTI")
			if err != nil {
				return nil, nil, err
			}
			if l.region.Hemisphere = connectome.UnknownHemisphere; len(labels) < maxLabels {
				labels = append(labels, l)
			}
		case "Parcel":
			name, _ := xmlAttr(start, "Name")
			if len(parcels) < maxLabels && !seen[name] { // both dimensions list them
				seen[name] = true
				parcels = append(parcels, labelEntry{key: -1, region: connectome.Region{Label: name}})
			}
		case "BrainStructure", "Vertices":
			if v, ok := xmlAttr(start, "BrainStructure"); ok && len(parcels) > 0 {
				r := &parcels[len(parcels)-1].region
				switch {
				case strings.HasSuffix(v, "_LEFT"):
					r.Hemisphere = connectome.Left
				case strings.HasSuffix(v, "_RIGHT"):
					r.Hemisphere = connectome.Right
				}
			}
		}
	}
}

// markAbsent marks the labels that no vertex or voxel of the first map bears.
func (s *source) markAbsent(entries []labelEntry, data []byte, h niftiHeader) {
	maps, places := h.dim[5], h.dim[6]
	if h.datatype != 16 || maps < 1 || places < 1 || maps > math.MaxInt32 || places > math.MaxInt32 || h.offset < nifti2Size || h.offset > int64(len(data)) || int64(len(data))-h.offset < 4*maps*places {
		return
	}
	used := map[int]bool{}
	for i := range places {
		used[int(math.Float32frombits(h.o.Uint32(data[h.offset+4*i*maps:])))] = true
	}
	for i := range entries {
		entries[i].absent = !used[entries[i].key]
	}
}
