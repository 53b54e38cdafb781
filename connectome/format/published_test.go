package format_test

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/format"
)

// structuredMatrix is a pandas table saved with DataFrame.to_records.
func structuredMatrix() string {
	return npyOf("[('a', '|i1'), ('b', '|i1'), ('c', '|i1')]", "(3,)", "\x00\x01\x00\x00\x00\x02\x03\x00\x00")
}

// npyOf is an array of NumPy's with those bytes.
func npyOf(descr, shape, body string) string {
	if !strings.HasPrefix(descr, "[") {
		descr = "'" + descr + "'"
	}
	header := fmt.Sprintf("%-117s\n", "{'descr': "+descr+", 'fortran_order': False, 'shape': "+shape+", }")
	return "\x93NUMPY\x01\x00" + string(binary.LittleEndian.AppendUint16(nil, uint16(len(header)))) + header + body
}

// What people of this field publish, one row a kind of file: the regions, the
// tracts as "a>b weight" (undirected ones once), and what the report says.
func TestPublishedKinds(t *testing.T) {
	const path5 = "a b c d" // regions of most rows
	type option = format.Option
	for _, d := range []struct {
		name    string
		files   []string
		opts    []option
		regions string
		tracts  string // sorted by row, then column
		proven  bool
		note    string // code of a note that must be there
	}{
		{"NeuronConnect with a header", []string{"x.csv", "Neuron 1,Neuron 2,Type,Nbr\nASJL,PVQL,S,4\nPVQL,ASJL,R,4\nRIML,RIBL,Sp,2\nRIBL,RIML,Rp,2\n"}, nil,
			"ASJL PVQL RIBL RIML", "ASJL>PVQL 4, RIML>RIBL 2", true, "edge-kinds"},
		{"NeuronConnect without one", []string{"x.csv", "ASJL,PVQL,S,4\nPVQL,ASJL,R,4\nASJL,RIML,EJ,2\nRIML,ASJL,EJ,2\nPVQL,NMJ,NMJ,7\nRIML,RIBL,Rp,3\n"}, nil,
			"ASJL PVQL RIBL RIML", "ASJL>PVQL 4, ASJL>RIML 2, RIBL>RIML 3, RIML>ASJL 2", true, "received-only"},
		{"NeuronConnect, one kind", []string{"x.csv", "Neuron 1,Neuron 2,Type,Nbr\nASJL,PVQL,S,4\nPVQL,ASJL,R,4\nASJL,RIML,EJ,2\nRIML,ASJL,EJ,2\n"}, []option{format.WithKinds("", "EJ")},
			"ASJL RIML", "ASJL-RIML 2", true, "edge-kinds"},
		{"kinds by column", []string{"x.csv", "Source,Target,Weight,Class\na,b,1,chemical\nb,a,1,electrical\na,c,5,chemical\n"}, []option{format.WithKinds("Class", "chemical")},
			"a b c", "a>b 1, a>c 5", true, "edge-kinds"},
		{"gap junctions listed once and twice", []string{"x.csv", "pre,post,type,synapses\na,b,chemical,3\nb,c,electrical,2\nc,b,electrical,2\na,d,electrical,1\n"}, nil,
			path5, "a>b 3, a>d 1, b>c 2, c>b 2, d>a 1", true, "listed-both-ways"},
		{"FlyWire", []string{"x.csv", "pre_root_id,post_root_id,neuropil,syn_count,nt_type\n720,721,AL_R,5,ACH\n720,721,LH_R,2,ACH\n721,722,AL_R,1,GABA\n"}, nil,
			"720 721 722", "720>721 7, 721>722 1", true, "parallel-edges"},
		{"FlyWire Codex", []string{"x.csv", "pre_root_id_72,post_root_id_72,neuropil,syn_count\n720,721,AL_R,5\n721,722,AL_R,1\n"}, nil, "720 721 722", "720>721 5, 721>722 1", true, ""},
		{"hemibrain with rois", []string{"x.csv", "bodyId_pre,bodyId_post,roi,weight,type_pre,type_post\n10,11,EB,5,ER1,EPG\n11,10,EB,2,EPG,ER1\n"}, nil, "10 11", "10>11 5, 11>10 2", true, ""},
		{"neuPrint by names of variables", []string{"x.csv", "a.bodyId,b.bodyId,w.weight\n10,11,5\n11,12,2\n"}, nil, "10 11 12", "10>11 5, 11>12 2", true, ""},
		{"Markov with a header", []string{"x.csv", "CASE,MONKEY,TARGET,SOURCE,FLNe,NEURONS,STATUS\n1,M8,V1,V2,0.5,100,known\n2,M9,V1,V2,0.25,40,known\n1,M8,V1,V4,0.1,20,known\n"}, nil,
			"V1 V2 V4", "V2>V1 0.375, V4>V1 0.1", true, "mean-of-fractions"},
		{"columns by number, lines that end in empty fields", []string{"x.tsv", "# a supplement\t\t\t\t\n7\tM8\tV2\tV1\t0.5\tknown\t\n7\tM8\tV4\tV1\t0.25\tknown\t\t\n8\tM9\tV1\tV2\t1\tknown\n"}, []option{format.WithTarget("3"), format.WithSource("4"), format.WithWeight("5")},
			"V1 V2 V4", "V1>V2 0.5, V1>V4 0.25, V2>V1 1", true, ""},
		{"columns by title", []string{"x.csv", "who,goes,where,much\nx,a,b,3\ny,b,c,4\n"}, []option{format.WithSource("goes"), format.WithTarget("where")}, "a b c", "a>b 3, b>c 4", true, ""},
		{"R's row names without a title", []string{"x.txt", "from to weight\n1 a b 3\n2 b c 4\n"}, nil, "a b c", "a>b 3, b>c 4", true, ""},
		{"a header over two columns of numbers", []string{"x.csv", "a,b\n1,2\n2,3\n2,1\n"}, nil, "1 2 3", "1>2 1, 2>1 1, 2>3 1", true, ""},

		{"decimal commas, some with three digits", []string{"x.csv", "source;target;weight\na;b;1,234\nb;c;0,5\n"}, nil, "a b c", "a>b 1.234, b>c 0.5", true, ""},
		{"three decimals below one", []string{"x.csv", "source;target;weight\na;b;0,234\nb;c;2,500\n"}, nil, "a b c", "a>b 0.234, b>c 2.5", true, ""},
		{"R's names of unnamed columns", []string{"x.csv", "\"X0\",\"X0.1\",\"X0.2\"\n0,1,2\n1,0,0\n2,0,0\n"}, nil, "? ? ?", "1-2 1, 1-3 2", false, "default-names"},
		{"a first row that only resembles R's names", []string{"x.txt", "0 0.5 0.1\n0.2 0 0\n0.1 0.3 0\n"}, nil, "? ? ?", "1>2 0.5, 1>3 0.1, 2>1 0.2, 3>1 0.1, 3>2 0.3", false, ""},
		{"neuPrint's n and m", []string{"x.csv", "n.bodyId,n.type,m.bodyId,m.type,c.weight\n10,ER1,11,EPG,5\n11,EPG,10,ER1,2\n"}, nil, "10 11", "10>11 5, 11>10 2", true, ""},
		{"rows of a lower triangle", []string{"x.txt", "0\n1 0\n2 3 0\n0 0 5 0\n"}, nil, "? ? ? ?", "1-2 1, 1-3 2, 2-3 3, 3-4 5", false, "ragged-triangle"},
		{"rows of an upper triangle", []string{"x.csv", "0;0,5;2\n0;3\n0\n"}, nil, "? ? ?", "1-2 0.5, 1-3 2, 2-3 3", false, "ragged-triangle"},
		{"R's names beside running numbers", []string{"x.csv", ",X0,X39,X0.1\n1,0,1,2\n2,1,0,0\n3,2,0,0\n"}, nil, "? ? ?", "1-2 1, 1-3 2", false, "default-names"},
		{"columns in an NPZ", []string{"x.npz", columnsNPZ(t)}, nil, "1 2 3", "1>2 3, 2>1 4, 3>1 2", true, ""},

		{"Pajek, edges both ways", []string{"x.net", "*Vertices 3\n1 \"   a\"\n2 b\n3 c\n*Edges\n1 2 1\n2 1 1\n1 3 4\n"}, nil, "a b c", "a-b 1, a-c 4", true, "listed-both-ways"},
		{"Pajek, arcs and edges both ways", []string{"x.net", "*Vertices 3\n1 a\n2 b\n3 c\n*Arcs\n1 2 5\n*Edges\n2 3 2\n3 2 2\n"}, nil, "a b c", "a>b 5, b>c 2, c>b 2", true, ""},
		{"GraphML, undirected edges both ways in a directed graph", []string{"x.graphml", `<graphml><key id="w" for="edge" attr.name="weight"/><graph edgedefault="directed"><node id="a"/><node id="b"/><node id="c"/><edge source="a" target="b"><data key="w">5</data></edge><edge source="b" target="c" directed="false"><data key="w">2</data></edge><edge source="c" target="b" directed="false"><data key="w">2</data></edge></graph></graphml>`}, nil, "a b c", "a>b 5, b>c 2, c>b 2", true, ""},
		{"DOT, undirected both ways", []string{"x.dot", "graph { a -- b [weight=2]; b -- a [weight=2]; b -- c [weight=3] }"}, nil, "a b c", "a-b 2, b-c 3", true, ""},
		{"Gephi's undirected both ways", []string{"x.csv", "source,target,weight,type\na,b,2,Undirected\nb,a,2,Undirected\nb,c,3,Undirected\n"}, nil, "a b c", "a-b 2, b-c 3", true, ""},
		{"JSON, undirected both ways", []string{"x.json", `{"directed":false,"nodes":[{"id":"a"},{"id":"b"},{"id":"c"}],"links":[{"source":"a","target":"b","weight":2},{"source":"b","target":"a","weight":2},{"source":"b","target":"c","weight":3}]}`}, nil, "a b c", "a-b 2, b-c 3", true, ""},
		{"igraph's running name beside a textual one", []string{"x.graphml", `<graphml><key id="n" for="node" attr.name="name"/><key id="c" for="node" attr.name="neuron_name"/><graph edgedefault="directed"><node id="n0"><data key="n">1</data><data key="c">RIML</data></node><node id="n1"><data key="n">2</data><data key="c">RIMR</data></node><edge source="n0" target="n1"/></graph></graphml>`}, nil, "RIML RIMR", "RIML>RIMR 1", true, ""},

		{"nodes described by an id", []string{"x.csv", "bodyId_pre,bodyId_post,weight\n12,34,5\n34,56,2\n", "x_nodes.csv", "bodyId,type,instance\n56,KC,KC_R\n12,KC,KC_L\n34,MBON,M_R\n"}, nil, "12 34 56", "12>34 5, 34>56 2", true, "nodes-joined"},
		{"nodes named by an id", []string{"x.csv", "source,target,weight\nn1,n2,5\nn2,n3,2\n", "x_nodes.csv", "key,label\nn3,V4\nn1,V1\nn2,V2\n"}, nil, "V1 V2 V4", "V1>V2 5, V2>V4 2", true, "nodes-joined"},
		{"Allen, a row an injection and target", []string{"x.csv", "experiment_id,hemisphere,injection_structure,target_structure,projection_density\n100,ipsi,MOp,CP,0.5\n101,contra,MOp,VAL,0.25\n102,ipsi,VISp,LP,0.125\n"}, nil, "CP LP MOp VAL VISp", "MOp>CP 0.5, MOp>VAL 0.25, VISp>LP 0.125", true, ""},
		{"SIF", []string{"x.txt", "a sc b c\nb sc d\nc sc d\nb sc c\na sc d\n"}, []option{format.WithDirected(true)}, path5, "a>b 1, a>c 1, a>d 1, b>c 1, b>d 1, c>d 1", true, ""},
		{"SIF with relations", []string{"x.sif", "a pp b\nb pd c\nd\n"}, []option{format.WithKinds("", "pd")}, path5, "b>c 1", true, "edge-kinds"},
		{"NetworkX adjacency list", []string{"x.txt", "# made by a test\na b c d\nb c d\nc d\nd\n"}, nil, path5, "a-b 1, a-c 1, a-d 1, b-c 1, b-d 1, c-d 1", true, "triangle"},
		{"LGL", []string{"x.txt", "# a\nb 2\nc 3\n# b\nc 0.5\n"}, nil, "a b c", "a-b 2, a-c 3, b-c 0.5", true, ""},
		{"LEDA", []string{"x.lgr", "LEDA.GRAPH\nstring\nfloat\n-1\n# nodes\n2\n|{a}|\n|{b}|\n# edges\n1\n1 2 0 |{2.5}|\n"}, nil, "a b", "a>b 2.5", true, ""},
		{"DSI Studio's connectogram", []string{"x.txt", "data\tdata\t7\t9\t8\ndata\tdata\ta\tb\tc\n7\ta\t0\t2\t1\n9\tb\t2\t0\t0\n8\tc\t1\t0\t0\n"}, nil, "a b c", "a-b 2, a-c 1", true, ""},
		{"condensed", []string{"x.csv", "1\n2\n3\n4\n5\n6\n"}, []option{format.WithFormat("condensed")}, "? ? ? ?", "1-2 1, 1-3 2, 1-4 3, 2-3 4, 2-4 5, 3-4 6", false, ""},
		{"condensed, lower", []string{"x.csv", "1,2,3,4,5,6\n"}, []option{format.WithFormat("condensed-lower")}, "? ? ? ?", "1-2 1, 1-3 2, 1-4 4, 2-3 3, 2-4 5, 3-4 6", false, ""},
		{"triangle with diagonal", []string{"x.json", "[0, 1, 2, 0, 3, 0]"}, []option{format.WithFormat("triangle")}, "? ? ?", "1-2 1, 1-3 2, 2-3 3", false, ""},
		{"lower triangle with diagonal", []string{"x.csv", "0\n1\n0\n2\n3\n0\n"}, []option{format.WithFormat("triangle-lower")}, "? ? ?", "1-2 1, 1-3 2, 2-3 3", false, ""},
		{"growing rows with a diagonal", []string{"x.txt", "0\n1 0\n2 3 0\n"}, nil, "? ? ?", "1-2 1, 1-3 2, 2-3 3", false, "ragged-triangle"},
		{"shrinking rows with a diagonal", []string{"x.csv", "1;0,5;2\n1;3\n1\n"}, nil, "? ? ?", "1-1 1, 1-2 0.5, 1-3 2, 2-2 1, 2-3 3, 3-3 1", false, "ragged-triangle"},
		{"growing rows without a diagonal", []string{"x.txt", "1\n2 3\n4 5 6\n"}, []option{format.WithFormat("condensed-lower")}, "? ? ? ?", "1-2 1, 1-3 2, 1-4 4, 2-3 3, 2-4 5, 3-4 6", false, ""},

		{"rectangle, sources fewer", []string{"x.csv", ",a,b,c,muscle\na,0,1,2,1\nb,3,0,1,0\nc,1,1,0,2\n"}, nil, "a b c muscle", "a>b 1, a>c 2, a>muscle 1, b>a 3, b>c 1, c>a 1, c>b 1, c>muscle 2", true, "rectangular"},
		{"rectangle, targets fewer", []string{"x.csv", ",a,b\na,0,1\nb,3,0\ns,1,4\n"}, nil, "a b s", "a>b 1, b>a 3, s>a 1, s>b 4", true, "rectangular"},
		{"Allen, two rows of titles", []string{"x.csv", "hemisphere,ipsi,ipsi,contra,contra\nstructure,VISp,MOs,VISp,MOs\nVISp,0,0.5,0.1,0\nMOs,0.25,0,0,0.2\n"}, nil,
			"ipsi-VISp ipsi-MOs contra-VISp contra-MOs", "ipsi-VISp>ipsi-MOs 0.5, ipsi-VISp>contra-VISp 0.1, ipsi-MOs>ipsi-VISp 0.25, ipsi-MOs>contra-MOs 0.2", true, "ipsi-contra"},
		{"divisions above the names", []string{"x.tsv", "\tcortex\tcortex\tthalamus\tthalamus\n\tV1\tM1\tLG\tVA\nV1\t0\t1\t2\t0\nM1\t1\t0\t0\t0\nLG\t2\t0\t0\t3\nVA\t0\t0\t3\t0\n"}, nil,
			"V1 M1 LG VA", "V1-M1 1, V1-LG 2, LG-VA 3", true, ""},
		{"labels that differ in case", []string{"x.tsv", "\tV1\tV3A\tV4\nV1\t0\t1\t2\nV3a\t1\t0\t3\nV4\t2\t3\t0\n"}, nil, "V1 V3A V4", "V1-V3A 1, V1-V4 2, V3A-V4 3", true, "label-spelling"},
		{"labels that do not fit, left out", []string{"x.tsv", "\tp\tq\tr\nV1\t0\t1\t2\nV3a\t1\t0\t3\nV4\t2\t3\t0\n"}, []option{format.WithLabels("none")}, "? ? ?", "1-2 1, 1-3 2, 2-3 3", false, ""},
		{"from\\to in the corner", []string{"x.csv", "from \\ to,a,b,c\na,0,1,2\nb,3,0,1\nc,1,1,0\n"}, nil, "a b c", "a>b 1, a>c 2, b>a 3, b>c 1, c>a 1, c>b 1", true, ""},
		{"targets down the side, as the corner says", []string{"x.csv", "Target/Source;a;b;c\na;0;1,5;2\nb;3;0;1\nc;1;1;0\n"}, nil, "a b c", "a>b 3, a>c 1, b>a 1.5, b>c 1, c>a 2, c>b 1", true, ""},
		{"targets down the side, more than sources", []string{"x.csv", "target\\source,a,b\na,0,1\nb,3,0\nm,1,4\n"}, nil, "a b m", "a>b 3, a>m 1, b>a 1, b>m 4", true, "rectangular"},
		{"the corner, and --rows that says otherwise", []string{"x.csv", "target,a,b,c\na,0,1,2\nb,3,0,1\nc,1,1,0\n"}, []option{format.WithRows(connectome.RowsSource)}, "a b c", "a>b 1, a>c 2, b>a 3, b>c 1, c>a 1, c>b 1", true, ""},
		{"totals", []string{"x.csv", ",a,b,c,Total\na,0,1,2,3\nb,3,0,1,4\nc,1,1,0,2\nTotal,4,2,3,9\n"}, nil, "a b c", "a>b 1, a>c 2, b>a 3, b>c 1, c>a 1, c>b 1", true, "totals"},
		{"totals of rows, more targets", []string{"x.csv", ",a,b,m,Sum\na,0,1,2,3\nb,3,0,1,4\n"}, nil, "a b m", "a>b 1, a>m 2, b>a 3, b>m 1", true, "totals"},
		{"a region called total", []string{"x.csv", ",a,b,total\na,0,1,7\nb,3,0,1\ntotal,1,1,0\n"}, nil, "a b total", "a>b 1, a>total 7, b>a 3, b>total 1, total>a 1, total>b 1", true, "totals"},
		{"a title above", []string{"x.csv", "Structural connectivity\n,a,b,c\na,0,1,2\nb,3,0,1\nc,1,1,0\n"}, nil, "a b c", "a>b 1, a>c 2, b>a 3, b>c 1, c>a 1, c>b 1", true, "around-the-matrix"},
		{"a comment of another program above", []string{"x.csv", "// made by a test\n;a;b;c\na;0;1,5;2\nb;3;0;1\nc;1;1;0\n"}, nil, "a b c", "a>b 1.5, a>c 2, b>a 3, b>c 1, c>a 1, c>b 1", true, "around-the-matrix"},
		{"titles above and beside", []string{"x.csv", ",,targets,,\n,,a,b,m\nsources,a,0,1,2\n,b,3,0,1\n"}, nil, "a b m", "a>b 1, a>m 2, b>a 3, b>m 1", true, "rectangular"},
		{"as many sources as targets, joined as asked", []string{"x.csv", ",a,b,m\na,0,1,2\nb,3,0,1\nc,1,4,2\n"}, []option{format.WithFormat("matrix")}, "a b m c", "a>b 1, a>m 2, b>a 3, b>m 1, c>a 1, c>b 4, c>m 2", true, "rectangular"},
		{"pandas with two levels", []string{"x.csv", ",,L,L,R,R\n,,V1,M1,V1,M1\nL,V1,0,1,2,0\nL,M1,0,0,0,3\nR,V1,0,4,0,0\nR,M1,5,0,0,0\n"}, nil, "V1 M1 V1 M1", "lh-V1>lh-M1 1, lh-V1>rh-V1 2, lh-M1>rh-M1 3, rh-V1>lh-M1 4, rh-M1>lh-V1 5", true, ""},
		{"pandas with two levels that have names", []string{"x.csv", "hemi,,L,L,R,R\nroi,,V1,M1,V1,M1\nhemi,roi,,,,\nL,V1,0,1,2,0\nL,M1,0,0,0,3\nR,V1,0,4,0,0\nR,M1,5,0,0,0\n"}, nil, "V1 M1 V1 M1", "lh-V1>lh-M1 1, lh-V1>rh-V1 2, lh-M1>rh-M1 3, rh-V1>lh-M1 4, rh-M1>lh-V1 5", true, ""},
		{"pandas with two levels in a workbook", []string{"x.xlsx", workbook(t, []string{"Sheet1", "hemi||L||R", "roi||V1|M1|V1|M1", "hemi|roi", "L|V1|0|1|2|0", "|M1|0|0|0|3", "R|V1|0|4|0|0", "|M1|5|0|0|0"})}, nil, "V1 M1 V1 M1", "lh-V1>lh-M1 1, lh-V1>rh-V1 2, lh-M1>rh-M1 3, rh-V1>lh-M1 4, rh-M1>lh-V1 5", true, ""},
		{"a workbook with a sheet of notes", []string{"x.xlsx", workbook(t, []string{"README", "Please cite our paper"}, []string{"sc", "|a|b", "a|0|1", "b|2|0"})}, nil, "a b", "a>b 1, b>a 2", true, ""},
		{"a workbook with a sheet of labels", []string{"x.xlsx", workbook(t, []string{"SC", "0|1|0", "1|0|2", "0|2|0"}, []string{"Labels", "V1", "M1", "LGN"})}, nil, "V1 M1 LGN", "V1-M1 1, M1-LGN 2", false, "label-order"},
		{"a workbook with a table of regions", []string{"x.xlsx", workbook(t, []string{"sc", "|V1|M1", "V1|0|1", "M1|2|0"}, []string{"Sheet2", "label|x|y|z", "V1|1|2|3", "M1|4|5|6"})}, nil, "V1 M1", "V1>M1 1, M1>V1 2", true, ""},
		{"a workbook with edges and nodes", []string{"x.xlsx", workbook(t, []string{"edges", "source|target|weight", "a|b|2", "b|a|1"}, []string{"nodes", "id|label", "a|a", "b|b"})}, nil, "a b", "a>b 2, b>a 1", true, ""},
		{"edges by number, as pandas has them", []string{"x.json", `{"0": {"source": "a", "target": "b", "weight": 2}, "1": {"source": "b", "target": "c", "weight": 3}}`}, nil, "a b c", "a>b 2, b>c 3", true, ""},
		{"a matrix that R made a table of", []string{"x.csv", "\"\",\"Var1\",\"Var2\",\"Freq\"\n\"1\",\"a\",\"b\",2\n\"2\",\"b\",\"a\",3\n\"3\",\"c\",\"a\",1\n"}, nil, "a b c", "a>b 2, b>a 3, c>a 1", true, ""},
		{"columns that MATLAB named", []string{"x.csv", "Var1,Var2,Var3\n0,1,2\n1,0,3\n2,3,0\n"}, nil, "? ? ?", "1-2 1, 1-3 2, 2-3 3", false, "default-names"},
		{"records a line", []string{"x.jsonl", `{"source": "a", "target": "b", "weight": 2}` + "\n" + `{"source": "b", "target": "c", "weight": 3}` + "\n"}, nil, "a b c", "a>b 2, b>c 3", true, ""},
		{"named arrays within an object", []string{"x.json", `{"sc": {"labels": ["a", "b"], "weights": [[0, 1], [2, 0]]}}`}, nil, "a b", "a>b 1, b>a 2", false, ""},
		{"a structured array with a field a region", []string{"x.npy", structuredMatrix()}, nil, "a b c", "a>b 1, b>c 2, c>a 3", true, ""},
		{"R's default names", []string{"x.csv", "\"\",\"V1\",\"V2\",\"V3\"\n\"1\",0,1,2\n\"2\",1,0,3\n\"3\",2,3,0\n"}, nil, "? ? ?", "1-2 1, 1-3 2, 2-3 3", false, "default-names"},
		{"visual areas are names", []string{"x.csv", ",V1,V2,V3\nV1,0,1,2\nV2,1,0,3\nV3,2,3,0\n"}, nil, "V1 V2 V3", "V1-V2 1, V1-V3 2, V2-V3 3", true, ""},

		{"visual areas without names of rows", []string{"x.csv", "V1,V2,V3\n0,1,2\n1,0,3\n2,3,0\n"}, nil, "? ? ?", "1-2 1, 1-3 2, 2-3 3", false, "default-names"},
		{"pandas's default names", []string{"x.csv", "Unnamed: 0,Unnamed: 1,Unnamed: 2\n0,1,2\n1,0,3\n2,3,0\n"}, nil, "? ? ?", "1-2 1, 1-3 2, 2-3 3", false, "default-names"},
		{"names counted from nothing", []string{"x.csv", "col0,col1,col2\n0,1,2\n1,0,3\n2,3,0\n"}, nil, "? ? ?", "1-2 1, 1-3 2, 2-3 3", false, "default-names"},
		{"a data frame's default names on both sides", []string{"x.csv", ",X.1,X.2,X.3\nX.1,0,1,2\nX.2,1,0,3\nX.3,2,3,0\n"}, nil, "? ? ?", "1-2 1, 1-3 2, 2-3 3", false, "default-names"},
		{"names of rows that R changed above columns", []string{"x.csv", ",X24c,X7A,V4\n24c,0,1,2\n7A,1,0,3\nV4,2,3,0\n"}, nil, "24c 7A V4", "24c-7A 1, 24c-V4 2, 7A-V4 3", true, ""},
		{"empty rows and columns of a spreadsheet", []string{"x.csv", "0,1,2,,,\n1,0,3,,,\n2,3,0,,,\n,,,,,\n"}, nil, "? ? ?", "1-2 1, 1-3 2, 2-3 3", false, "empty-ends"},
		{"empty rows and columns around a labelled matrix", []string{"x.csv", ",,,,,\n,a,b,c,,\na,0,1,2,,\nb,1,0,3,,\nc,2,3,0,,\n,,,,,\n"}, nil, "a b c", "a-b 1, a-c 2, b-c 3", true, "empty-ends"},
		{"empty rows above and below edges", []string{"x.csv", ",,\nsource,target,weight\na,b,1\nb,c,2\n,,\n"}, nil, "a b c", "a>b 1, b>c 2", true, ""},
		{"a note below a matrix", []string{"x.csv", ",a,b,c\na,0,1,2\nb,1,0,3\nc,2,3,0\n\nNote: counts of streamlines\n"}, nil, "a b c", "a-b 1, a-c 2, b-c 3", true, "around-the-matrix"},
		{"categories beside the labels", []string{"x.csv", ",,a,b,m\nsensory,a,0,5,0\nmotor,b,1,0,3\n"}, nil, "a b m", "a>b 5, b>a 1, b>m 3", true, "rectangular"},
		{"numbers before the labels and lobes behind", []string{"x.csv", "id,label,lobe,a,b,c\n1,a,frontal,0,1,2\n2,b,frontal,1,0,3\n3,c,parietal,2,3,0\n"}, nil, "a b c", "a-b 1, a-c 2, b-c 3", true, "around-the-matrix"},
		{"an adjacency list with commas", []string{"x.adjlist", "a,b,c,d\nb,c\nc,d\nd\n"}, nil, path5, "a>b 1, a>c 1, a>d 1, b>c 1, c>d 1", true, ""},
		{"NetworkX's GML of NumPy's numbers", []string{"x.gml", "graph [ directed 1 node [ id 0 label \"a\" ] node [ id 1 label \"b\" ] edge [ source 0 target 1 weight NP.FLOAT64(39.5) ] ]"}, nil, "a b", "a>b 39.5", true, ""},
		{"weights that are words", []string{"x.gml", "graph [ directed 1 node [ id 0 label \"a\" ] node [ id 1 label \"b\" ] edge [ source 0 target 1 weight \"strong\" ] ]"}, nil, "a b", "a>b 1", true, "text-weights"},
		{"names under any title beside running numbers", []string{"x.gml", "graph [ directed 1 node [ id 0 name \"1\" soma \"ADAL\" side \"l\" ] node [ id 1 name \"2\" soma \"ADAR\" side \"l\" ] edge [ source 0 target 1 weight 2 ] ]"}, nil, "ADAL ADAR", "ADAL>ADAR 2", true, ""},
		{"regions beside running numbers", []string{"x.json", `{"directed": true, "nodes": [{"id": 0, "name": "1", "region": "V1", "lobe": "x"}, {"id": 1, "name": "2", "region": "V2", "lobe": "y"}], "links": [{"source": 0, "target": 1, "weight": 2}]}`}, nil, "V1 V2", "V1>V2 2", true, ""},

		{"columns of edges in JSON", []string{"x.json", `{"source": ["a", "b"], "target": ["b", "c"], "weight": [2, 3]}`}, nil, "a b c", "a>b 2, b>c 3", true, ""},
		{"columns of edges by pandas", []string{"x.json", `{"source": {"0": "a", "1": "b"}, "target": {"0": "b", "1": "c"}, "weight": {"0": 2, "1": 3}}`}, nil, "a b c", "a>b 2, b>c 3", true, ""},
		{"edges without nodes in JSON", []string{"x.json", `{"edges": [{"source": "a", "target": "b", "weight": 2}, {"source": "b", "target": "c", "weight": 3}]}`}, nil, "a b c", "a>b 2, b>c 3", true, ""},
		{"bare matrix in JSON", []string{"x.json", "[[0, 1, 2], [1, 0, null], [2, 0, 0]]"}, nil, "? ? ?", "1-2 1, 1-3 2", false, ""},
		{"list of edges in JSON", []string{"x.json", `[["a", "b", 2], ["b", "c", 3]]`}, nil, "a b c", "a>b 2, b>c 3", true, ""},
		{"records of edges", []string{"x.json", `[{"source": "a", "target": "b", "weight": 2}, {"source": "b", "target": "c", "weight": 3}]`}, nil, "a b c", "a>b 2, b>c 3", true, ""},
		{"pandas, split", []string{"x.json", `{"columns": ["a", "b"], "index": ["a", "b"], "data": [[0, 1], [2, 0]]}`}, nil, "a b", "a>b 1, b>a 2", true, ""},
		{"pandas, records", []string{"x.json", `[{"a": 0, "b": 1}, {"a": 2, "b": 0}]`}, nil, "a b", "a>b 1, b>a 2", true, ""},
		{"dictionary of dictionaries", []string{"x.json", `{"a": {"b": 2}, "b": {"a": 1, "c": 3}}`}, nil, "a b c", "a>b 2, b>a 1, b>c 3", true, ""},
		{"dictionary of dictionaries of attributes", []string{"x.json", `{"a": {"b": {"weight": 2}}, "b": {"a": {"weight": 2}}}`}, nil, "a b", "a-b 2", true, ""},
		{"dictionary of dictionaries, targets outside", []string{"x.json", `{"a": {"b": 2}, "b": {"a": 1}}`}, []option{format.WithRows(connectome.RowsTarget)}, "a b", "a>b 1, b>a 2", true, ""},
		{"dictionary of lists", []string{"x.json", `{"a": ["b", "c"], "b": ["c"]}`}, nil, "a b c", "a>b 1, a>c 1, b>c 1", true, ""},
		{"named arrays in JSON", []string{"x.json", `{"labels": ["a", "b"], "weights": [[0, 1], [2, 0]]}`}, nil, "a b", "a>b 1, b>a 2", false, ""},
		{"adjacency data of NetworkX", []string{"x.json", `{"directed": false, "multigraph": false, "graph": [], "nodes": [{"id": "a"}, {"id": "b"}], "adjacency": [[{"weight": 4, "id": "b"}], [{"weight": 4, "id": "a"}]]}`}, nil, "a b", "a-b 4", true, ""},

		{"structured array", []string{"x.npy", structuredNPY()}, nil, "1 2 3", "1>2 3, 2>1 4, 3>1 2", true, ""},
		{"texts in an object array", []string{"x.npz", objectNPZ(t)}, nil, "a b", "a-b 3", false, ""},
	} {
		t.Run(d.name, func(t *testing.T) {
			c, err := format.Read(put(t, d.files...), d.opts...)
			if err != nil {
				t.Fatal(err)
			}
			regions, tracts := spelt(c)
			if regions != d.regions {
				t.Errorf("regions %s, want %s", regions, d.regions)
			}
			if tracts != d.tracts {
				t.Errorf("tracts %s, want %s", tracts, d.tracts)
			}
			if c.Report.LabelOrderProven != d.proven {
				t.Errorf("order of labels proven: %v", c.Report.LabelOrderProven)
			}
			codes := ""
			for _, n := range c.Report.Notes {
				codes += " " + n.Code
			}
			if !strings.Contains(codes, d.note) {
				t.Errorf("notes%s, want %s", codes, d.note)
			}
		})
	}
}

// spelt writes a connectome's regions, "?" where there is no label, and its
// tracts as "a>b weight", undirected ones once as "a-b weight".
func spelt(c *connectome.Connectome) (regions, tracts string) {
	var r, ts []string
	for i := range c.Regions {
		r = append(r, cmp.Or(c.Regions[i].Label, "?"))
	}
	names := c.Names()
	for t := range c.Tracts.All() {
		switch {
		case c.Directed:
			ts = append(ts, fmt.Sprintf("%s>%s %g", names[t.From], names[t.To], t.Weight))
		case t.From <= t.To:
			ts = append(ts, fmt.Sprintf("%s-%s %g", names[t.From], names[t.To], t.Weight))
		}
	}
	return strings.Join(r, " "), strings.Join(ts, ", ")
}

// structuredNPY is an array of records: source, target, a vector, weight.
func structuredNPY() string {
	header := fmt.Sprintf("%-117s\n", "{'descr': [('source', '<i2'), ('target', '<i2'), ('xy', '<f4', (2,)), ('weight', '<f8')], 'fortran_order': False, 'shape': (3,), }")
	b := []byte("\x93NUMPY\x01\x00")
	b = binary.LittleEndian.AppendUint16(b, uint16(len(header)))
	b = append(b, header...)
	for _, e := range [][3]uint64{{1, 2, 0x4008000000000000}, {2, 1, 0x4010000000000000}, {3, 1, 0x4000000000000000}} {
		b = binary.LittleEndian.AppendUint16(b, uint16(e[0]))
		b = binary.LittleEndian.AppendUint16(b, uint16(e[1]))
		b = append(b, make([]byte, 8)...)
		b = binary.LittleEndian.AppendUint64(b, e[2])
	}
	return string(b)
}

// columnsNPZ holds the columns of a list of edges as arrays of their own.
func columnsNPZ(t *testing.T) string {
	npy := func(values string) string {
		header := fmt.Sprintf("%-117s\n", "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }")
		return "\x93NUMPY\x01\x00\x76\x00" + header + values
	}
	return zipped(t, "source.npy", npy("\x01\x02\x03"), "target.npy", npy("\x02\x01\x01"), "weight.npy", npy("\x03\x04\x02"))
}

// objectNPZ holds a matrix and a pickled list of labels.
func objectNPZ(t *testing.T) string {
	npy := func(descr, shape, body string) string {
		header := fmt.Sprintf("%-117s\n", "{'descr': '"+descr+"', 'fortran_order': False, 'shape': "+shape+", }")
		return "\x93NUMPY\x01\x00\x76\x00" + header + body
	}
	pickled := "\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x02\x85cnumpy\ndtype\nU\x02O8K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tb\x89](U\x01aU\x01betb."
	return zipped(t, "sc.npy", npy("|u1", "(2, 2)", "\x00\x03\x03\x00"), "labels.npy", npy("|O", "(2,)", pickled))
}

// Two readings are possible: the message shows both, and how to choose.
func TestPublishedKindsThatAreAmbiguous(t *testing.T) {
	for _, d := range []struct {
		name, file, text string
		opts             []format.Option
		kind             error
		want             []string
	}{
		{"monkeys and cases beside areas", "x.tsv", "7\tM8\tV2\tV1\t0.5\tknown\n7\tM8\tV4\tV1\t0.25\tknown\n8\tM9\tV1\tV2\t1\tknown\n", nil, format.ErrAmbiguous, []string{"--source N --target N", "M8, M9", "V2, V4, V1", "0.5, 0.25"}},
		{"titles that tell nothing", "x.csv", "monkey,area,other,w\nM8,V2,V1,1\nM8,V4,V1,2\nM9,V1,V2,3\n", nil, format.ErrAmbiguous, []string{"2 area  (V2, V4, V1)"}},
		{"a triangle's numbers", "x.csv", "1\n2\n3\n4\n5\n6\n", nil, format.ErrAmbiguous, []string{"--format condensed", "4 × 4"}},
		{"two rows of two under letters", "x.csv", "a;b\n1;2\n2;3\n", nil, format.ErrAmbiguous, []string{"--format", "matrix", "edgelist"}},
		{"decimal commas or thousands", "x.csv", "source;target;weight\na;b;1,234\nb;c;2,500\n", nil, format.ErrNumber, []string{"x.csv:2", `"1,234" may be 1.234 or 1234`}},
		{"decimal commas or thousands in a matrix", "x.tsv", "0\t12,345\n12,345\t0\n", nil, format.ErrNumber, []string{"12.345 or 12345"}},
		{"a first row that R took for a header", "x.csv", "\"X0\",\"X39\",\"X0.1\"\n39,0,5\n0,5,0\n", nil, format.ErrNotSquare, []string{"header = FALSE"}},
		{"a triangle in rows, with or without its diagonal", "x.txt", "1\n2 3\n4 5 6\n", nil, format.ErrAmbiguous, []string{"--format condensed-lower", "4 × 4", "triangle-lower", "3 × 3"}},
		{"graph6", "x.g6", ">>graph6<<Bw\n", nil, format.ErrUnsupported, []string{"graph6", "write_graphml"}},
		{"DIMACS", "x.dimacs", "c made by a test\np max 3 2\na 1 2 5\n", nil, format.ErrUnsupported, []string{"DIMACS"}},
		{"GDF", "x.gdf", "nodedef>name VARCHAR\na\n", nil, format.ErrUnsupported, []string{"Gephi"}},
		{"UCINET's DL", "x.dl", "DL N = 2\nFORMAT = FULLMATRIX\nDATA:\n0 1\n1 0\n", nil, format.ErrUnsupported, []string{"UCINET"}},
		{"an adjacency list of several lines a node", "x.txt", "# made by a test\na 2\nb {'weight': 2}\nc {'weight': 3}\nb 0\nc 0\n", nil, format.ErrUnsupported, []string{"write_adjlist"}},
		{"a ragged matrix", "x.csv", "0,1\n1,0,2\n", nil, format.ErrRagged, []string{"delimiter"}},
		{"two rows of titles over rows without a side", "x.csv", ",left,left,right,right\n,V1,M1,V1,M1\nV1,0,1,2,0\nM1,1,0,0,0\n", nil, format.ErrLabels, []string{"left, right", "a column before its name"}},
		{"a table of measures", "x.csv", "subject,volume,age,score\ns1,1,2,3\ns2,4,5,6\n", nil, format.ErrNotSquare, []string{"--format matrix"}},
		{"a kind that is not there", "x.csv", "pre,post,type,n\na,b,chemical,1\nb,a,electrical,1\n", []format.Option{format.WithKinds("", "glia")}, format.ErrVariable, []string{"chemical", `"glia"`}},
		{"a column that is not there", "x.csv", "p,q,n\na,b,1\nb,a,1\n", []format.Option{format.WithSource("z"), format.WithTarget("q")}, format.ErrVariable, []string{`"z"`, "p, q, n"}},
		{"columns of a matrix", "x.json", "[[0, 1], [2, 0]]", []format.Option{format.WithSource("1"), format.WithTarget("2")}, format.ErrUnsupported, []string{"--source"}},
	} {
		t.Run(d.name, func(t *testing.T) {
			_, err := format.Read(put(t, d.file, d.text), d.opts...)
			if !errors.Is(err, d.kind) {
				t.Fatalf("%v, want %v", err, d.kind)
			}
			for _, w := range d.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("no %q in %q", w, err)
				}
			}
		})
	}
}

// MATLAB pads the rows of a text matrix on either side, and a file may hold
// several atlases, each with labels of its own.
func TestLabelsOfMATLAB(t *testing.T) {
	c, err := format.Read(filepath.Join("testdata", "v5_chars.mat"))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range c.Regions {
		if r.Label != strings.TrimSpace(r.Label) {
			t.Errorf("label %q is padded", r.Label)
		}
	}
}
