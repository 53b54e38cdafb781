package modules

import (
	"fmt"
	"image"

	"github.com/connectomewire/wire/modules/picture"
)

// boxes finds the boxes of an output port, in pixels of the picture that the
// port's image port was given, or of the prepared one when only that is known.
func (m *Module) boxes(p *Port, c *call) ([]picture.Box, error) {
	t := c.computed[m.Manifest.partOf(p)][p.tensorName()]
	if t.DType != Float32 || len(t.Shape) != 4 || t.Shape[1] != 1 {
		return nil, fmt.Errorf("boxes are found in a map of shape [1, 1, height, width], the model gave %s %v", t.DType, t.Shape)
	}
	if t.Shape[0] != 1 {
		return nil, fmt.Errorf("%w: boxes are found in one picture at a time, not in a batch of %d", ErrInput, t.Shape[0])
	}
	size := image.Pt(t.Shape[3], t.Shape[2])
	if img, ok := c.pictures[p.Boxes.Image]; ok {
		size = img.Bounds().Size()
	}
	return p.Boxes.Find(t.F32, t.Shape[2], t.Shape[3], size)
}

// boxesTensor writes boxes as rows of eight corners and the score.
func boxesTensor(boxes []picture.Box) *Tensor {
	const columns = 9
	data := make([]float32, 0, columns*len(boxes))
	for _, b := range boxes {
		for _, c := range b.Corners {
			data = append(data, float32(c.X), float32(c.Y))
		}
		data = append(data, float32(b.Score))
	}
	return Floats(data, len(boxes), columns)
}

// cut cuts the boxes of a link out of the picture, turns them where its turn
// says so, and prepares them.
func (m *Module) cut(l *openLink, c *call) ([]*Tensor, error) {
	p := m.Manifest.Output(l.Cut)
	img, ok := c.pictures[p.Boxes.Image]
	if !ok {
		return nil, fmt.Errorf("%w: the pieces are cut out of the picture of port %q, which was given as a tensor; give the picture itself (Encode)", ErrInput, p.Boxes.Image)
	}
	boxes, err := m.boxes(p, c)
	if err != nil {
		return nil, err
	}
	turned, err := l.turned(c, len(boxes))
	if err != nil {
		return nil, err
	}
	pieces, err := picture.Cut(img, boxes, turned)
	if err != nil {
		return nil, err
	}
	out := make([]*Tensor, len(pieces))
	for i, piece := range pieces {
		if out[i], err = prepareImage(l.Image, Look{Image: piece}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// turned reads which of n pieces stand on their heads.
func (l *openLink) turned(c *call, n int) ([]bool, error) {
	if l.turn == "" {
		return nil, nil
	}
	t := c.computed[l.turnFrom][l.turn]
	if t.DType != Float32 || t.Len() != 2*n {
		return nil, fmt.Errorf("turn: %s gave %s %v, not two probabilities for each of %d pieces", l.Turn, t.DType, t.Shape, n)
	}
	const sure = 0.9 // as PaddleOCR
	turned := make([]bool, n)
	for i := range turned {
		turned[i] = t.F32[2*i+1] > sure
	}
	return turned, nil
}
