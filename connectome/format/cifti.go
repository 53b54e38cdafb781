package format

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// CIFTI-2 parcellated connectivity (.pconn.nii): a NIfTI-2 header of 540
// bytes, an extension with XML that names the parcels, and the matrix, whose
// columns run fastest.
//
// No Go library for NIfTI-2 with CIFTI extensions was found; those for
// NIfTI-1 read images only.

const (
	nifti2Size       = 540
	intentDense      = 3001
	intentParcels    = 3003
	ciftiExtension   = 32
	ciftiMaxParcels  = 1 << 20
	niftiMaxHeadings = 64 // extensions looked through
)

// isNIfTI recognises NIfTI-1 and -2 of either byte order.
func isNIfTI(head []byte) bool {
	if len(head) < 8 {
		return false
	}
	for _, o := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		switch o.Uint32(head) {
		case nifti2Size:
			return head[4] == 'n' && (head[5] == '+' || head[5] == 'i')
		case 348:
			return len(head) >= 348 && head[344] == 'n' && (head[345] == '+' || head[345] == 'i')
		}
	}
	return false
}

func (s *source) readCIFTI() (*connectome.Connectome, error) {
	data, err := s.all()
	if err != nil {
		return nil, err
	}
	o := binary.ByteOrder(binary.LittleEndian)
	if len(data) >= 4 && o.Uint32(data) != nifti2Size {
		o = binary.BigEndian
	}
	if len(data) < 4 || o.Uint32(data) != nifti2Size {
		return nil, s.failf(ErrUnsupported, 0, 0, "an image names regions: pass it with --labels beside a matrix; a parcellated connectome is a CIFTI-2 file, .pconn.nii", "a NIfTI-1 image")
	}
	if len(data) < nifti2Size+4 {
		return nil, s.failf(ErrTruncated, 0, 0, "fetch the file again", "the header is cut off")
	}
	switch intent := int32(o.Uint32(data[504:])); intent {
	case intentParcels:
	case intentDense:
		return nil, s.failf(ErrUnsupported, 0, 0, "parcellate it first: wb_command -cifti-parcellate along both dimensions gives a .pconn.nii", "a dense connectome (.dconn, intent %d) has no regions", intent)
	default:
		return nil, s.failf(ErrUnsupported, 0, 0, "a parcellated connectome (.pconn.nii) has intent 3003; a parcellation is passed with --labels beside a matrix", "a NIfTI-2 file of intent %d", intent)
	}
	var dim [8]int64
	for i := range dim {
		dim[i] = int64(o.Uint64(data[16+8*i:]))
	}
	if dim[0] != 6 || dim[1] != 1 || dim[2] != 1 || dim[3] != 1 || dim[4] != 1 {
		return nil, s.failf(ErrCorrupt, 0, 0, "", "dimensions %v, want 6 1 1 1 1 columns rows", dim[:max(1, min(8, dim[0]+1))])
	}
	columns, rows := dim[5], dim[6]
	if columns != rows {
		return nil, s.failf(ErrNotSquare, 0, 0, "a connectivity matrix has one row and one column a region", "%d rows × %d columns", rows, columns)
	}
	n := columns
	if n < 1 || n > ciftiMaxParcels {
		return nil, s.failf(ErrCorrupt, 0, 0, "", "%d parcels", n)
	}
	kind := map[uint16]string{2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}[o.Uint16(data[12:])]
	width, decode := npyNumber(kind, o)
	if decode == nil {
		return nil, s.failf(ErrUnsupported, 0, 0, "save the matrix as float32", "data type %d", o.Uint16(data[12:]))
	}
	offset := int64(o.Uint64(data[168:]))
	if offset < nifti2Size || offset > int64(len(data)) || int64(len(data))-offset < n*n*int64(width) {
		return nil, s.failf(ErrTruncated, 0, 0, "fetch the file again", "%d bytes hold no matrix of %d × %d from byte %d on", len(data), n, n, offset)
	}
	slope, inter := math.Float64frombits(o.Uint64(data[176:])), math.Float64frombits(o.Uint64(data[184:]))
	if slope == 0 || math.IsNaN(slope) || math.IsInf(slope, 0) {
		slope, inter = 1, 0
	}
	if math.IsNaN(inter) || math.IsInf(inter, 0) {
		inter = 0
	}
	regions, err := s.ciftiParcels(data[:offset], o, int(n))
	if err != nil {
		return nil, err
	}
	m := newMatrix()
	m.n = int(n)
	body := data[offset:]
	for i := range int(n) {
		for j := range int(n) {
			m.add(j, slope*decode(body[(i*int(n)+j)*width:])+inter)
		}
		m.endRow()
	}
	s.rep.Format = "CIFTI-2 pconn"
	c := s.finishMatrix(m, nil, connectome.RowsSource, "CIFTI has no convention for the direction of tracts; rows are taken as sources")
	for i := range regions {
		mergeRegion(&c.Regions[i], &regions[i])
	}
	s.rep.Labels, s.rep.LabelOrderProven, s.rep.LabelHow = "parcels of the CIFTI header", true, "the header lists the parcels in the order of the matrix"
	s.noteDuplicateLabels(c.Regions)
	return c, s.tvbLabelOption(c)
}

// ciftiParcels finds the XML among the extensions and reads the parcels of
// both dimensions, which must agree.
func (s *source) ciftiParcels(head []byte, o binary.ByteOrder, n int) ([]connectome.Region, error) {
	if len(head) <= nifti2Size || head[nifti2Size] == 0 {
		return nil, s.failf(ErrCorrupt, 0, 0, "", "no CIFTI extension")
	}
	at := 544
	for range niftiMaxHeadings {
		if at+8 > len(head) {
			break
		}
		size, code := int(int32(o.Uint32(head[at:]))), o.Uint32(head[at+4:])
		if size < 8 || size > len(head)-at {
			return nil, s.failf(ErrCorrupt, 0, 0, "fetch the file again", "an extension of %d bytes", size)
		}
		if code == ciftiExtension {
			text := bytes.TrimRight(head[at+8:at+size], "\x00")
			return s.ciftiXML(text, n)
		}
		at += size
	}
	return nil, s.failf(ErrCorrupt, 0, 0, "", "no CIFTI extension")
}

func (s *source) ciftiXML(text []byte, n int) ([]connectome.Region, error) {
	d := newXMLDecoder(bytes.NewReader(text))
	var maps [2][]connectome.Region // of dimension 0 and 1
	var applies []int
	var current []connectome.Region
	parcels := false
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, s.failf(ErrCorrupt, 0, 0, "fetch the file again", "the CIFTI header: %v", err)
		}
		switch x := tok.(type) {
		case xml.StartElement:
			switch x.Name.Local {
			case "MatrixIndicesMap":
				current, applies = nil, nil
				dims, _ := xmlAttr(x, "AppliesToMatrixDimension")
				for _, f := range strings.Split(dims, ",") {
					switch strings.TrimSpace(f) {
					case "0":
						applies = append(applies, 0)
					case "1":
						applies = append(applies, 1)
					}
				}
				kind, _ := xmlAttr(x, "IndicesMapToDataType")
				if kind != "CIFTI_INDEX_TYPE_PARCELS" {
					return nil, s.failf(ErrUnsupported, 0, 0, "parcellate both dimensions", "dimension %v is indexed by %s, not by parcels", applies, kind)
				}
				parcels = true
			case "Parcel":
				if !parcels {
					continue
				}
				name, _ := xmlAttr(x, "Name")
				current = append(current, connectome.Region{Label: name})
				if len(current) > n {
					return nil, s.failf(ErrLabels, 0, 0, "", "more than %d parcels for %d regions", n, n)
				}
			case "BrainStructure", "Vertices":
				if v, ok := xmlAttr(x, "BrainStructure"); ok && len(current) > 0 {
					r := &current[len(current)-1]
					switch {
					case strings.HasSuffix(v, "_LEFT"):
						r.Hemisphere = connectome.Left
					case strings.HasSuffix(v, "_RIGHT"):
						r.Hemisphere = connectome.Right
					}
				}
			}
		case xml.EndElement:
			if x.Name.Local == "MatrixIndicesMap" {
				for _, k := range applies {
					maps[k] = current
				}
				parcels = false
			}
		}
	}
	for k, m := range maps {
		if len(m) != n {
			return nil, s.failf(ErrLabels, 0, 0, "fetch the file again", "%d parcels along dimension %d for %d regions", len(m), k, n)
		}
	}
	for i := range n {
		if maps[0][i].Label != maps[1][i].Label {
			return nil, s.failf(ErrLabels, 0, 0, "a connectome needs the same regions in rows and columns", "parcel %d is %q along one dimension and %q along the other", i, maps[0][i].Label, maps[1][i].Label)
		}
	}
	return maps[0], nil
}
