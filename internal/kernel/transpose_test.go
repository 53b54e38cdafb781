package kernel

import "testing"

func TestTranspose(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		for _, m := range []int{1, 3, 7, 8, 9, 15, 16, 17, 40} {
			for _, n := range []int{1, 5, 8, 13, 16, 33} {
				const more = 3 // rows lie further apart than they are long
				src, dst := make([]float32, m*(n+more)), make([]float32, n*(m+more))
				for i := range src {
					src[i] = float32(i + 1)
				}
				Transpose(dst, m+more, src, n+more, m, n)
				for j := range n {
					for i := range m + more {
						want := float32(0)
						if i < m {
							want = src[i*(n+more)+j]
						}
						if dst[j*(m+more)+i] != want {
							t.Fatalf("%d×%d: [%d][%d] is %v, want %v", m, n, j, i, dst[j*(m+more)+i], want)
						}
					}
				}
			}
		}
	})
}
