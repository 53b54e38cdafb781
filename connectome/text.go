package connectome

// Tables in text: dense matrices, edge lists, and their relatives.

// readTable reads delimited text.
func (s *source) readTable(head []byte) (*Connectome, error) {
	return s.readDense(sniffDelimiter(head))
}

// readDense reads a dense matrix and its labels.
func (s *source) readDense(delim byte) (*Connectome, error) {
	d, err := s.readDenseText(delim, denseOptions{})
	if err != nil {
		return nil, err
	}
	s.rep.Format, s.rep.Dialect = "matrix", d.dialect
	labels, err := d.labelsOf(s)
	if err != nil {
		return nil, err
	}
	c := s.finishMatrix(d.matrix, nil, RowsSource, "the convention of plain matrices; the file does not say")
	for i := range c.Regions {
		if labels != nil {
			c.Regions[i].Label = labels[i]
		}
		if d.ids != nil {
			c.Regions[i].setAttribute("id", d.ids[i])
		}
	}
	return c, s.joinLabels(c)
}
