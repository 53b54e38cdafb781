package goengine

import (
	"maps"
	"slices"
	"strings"
)

// maxOpset is the newest version of the default operator set whose changes
// the operators here know.
const maxOpset = 28

// operators is the table of everything the engine computes, by name; names
// outside the default domain carry it: "com.microsoft.Gelu".
var operators = map[string]operator{}

// readsOptional are the operators that look into optional values.
var readsOptional = map[string]bool{"OptionalHasElement": true, "OptionalGetElement": true, "Identity": true, "If": true, "Loop": true}

func init() {
	for _, table := range []map[string]operator{elementwiseTable, castTable, shapeTable, reduceTable, matmulTable, normTable, convTable,
		poolTable, quantTable, imageTable, lossTable, signalTable, wordsTable, sequenceTable, controlTable, indexTable, rnnTable, randomTable, internalTable,
		attentionTable, rotaryTable, statefulTable, gatedTable, rmsTable, patchTable, textTable, decodeTable,
		treeTable, linearTable, featureTable, microsoftTable, microsoftAttentionTable} {
		maps.Copy(operators, table)
	}
	maps.Copy(operators, aliases())
}

// aliases are operators of other domains that equal one here.
func aliases() map[string]operator {
	return map[string]operator{
		"com.microsoft.Gelu":             operators["Gelu"],
		"com.microsoft.QuantizeLinear":   operators["QuantizeLinear"],
		"com.microsoft.DequantizeLinear": operators["DequantizeLinear"],
		"com.microsoft.Trilu":            operators["Trilu"],
		"com.microsoft.Range":            operators["Range"],
		"com.microsoft.GridSample":       operators["GridSample"],
		"com.microsoft.TransposeMatMul":  operators["com.microsoft.FusedMatMul"],
		"com.microsoft.LinearAttention":  operators["LinearAttention"],
	}
}

// Operators lists what the engine computes, sorted.
func Operators() []string {
	names := slices.Collect(maps.Keys(operators))
	names = slices.AppendSeq(names, maps.Keys(expansions))
	slices.Sort(names)
	return slices.DeleteFunc(names, func(n string) bool { return strings.HasPrefix(n, internalDomain+".") })
}
