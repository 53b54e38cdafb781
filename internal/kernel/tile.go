package kernel

// tileGo is the fallback tile of at most 4×16.
func tileGo(rows, cols, k int, a []float32, rsa, csa int, b []float32, rsb int, c []float32, rsc int, accumulate bool) {
	var acc [16]float32
	for i := range rows {
		row := c[i*rsc : i*rsc+cols]
		sums := acc[:cols]
		if accumulate {
			copy(sums, row)
		} else {
			clear(sums)
		}
		for p := range k {
			x := a[i*rsa+p*csa]
			bp := b[p*rsb : p*rsb+cols]
			for j, y := range bp {
				sums[j] += x * y
			}
		}
		copy(row, sums)
	}
}

// tileOffsetsGo is tileGo with row p of B at b[offsets[p]:].
func tileOffsetsGo(rows, cols, k int, a []float32, rsa, csa int, b []float32, offsets []int, c []float32, rsc int, accumulate bool) {
	var acc [16]float32
	for i := range rows {
		row := c[i*rsc : i*rsc+cols]
		sums := acc[:cols]
		if accumulate {
			copy(sums, row)
		} else {
			clear(sums)
		}
		for p, o := range offsets[:k] {
			x := a[i*rsa+p*csa]
			bp := b[o : o+cols]
			for j, y := range bp {
				sums[j] += x * y
			}
		}
		copy(row, sums)
	}
}
