package format

import (
	"bufio"
	"encoding/json"
	"encoding/xml"
	"math"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// Writers of graph files. Nodes have the ids n0, n1, …; labels need not be
// unique.

func xmlText(s string) string {
	var b strings.Builder
	if xml.EscapeText(&b, []byte(oneLine(s))) != nil {
		return ""
	}
	return b.String()
}

func edgeDefault(c *connectome.Connectome) string {
	if c.Directed {
		return "directed"
	}
	return "undirected"
}

func writeGraphML(w *bufio.Writer, c *connectome.Connectome) error {
	names := fieldNames(c)
	labels := writtenLabels(c)
	w.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	w.WriteString(`<graphml xmlns="http://graphml.graphdrawing.org/xmlns">` + "\n")
	key := func(id, domain, name, kind string) {
		w.WriteString(`  <key id="` + id + `" for="` + domain + `" attr.name="` + xmlText(name) + `" attr.type="` + kind + `"/>` + "\n")
	}
	key("label", "node", "label", "string")
	for k, n := range names {
		kind := "string"
		if n == "x" || n == "y" || n == "z" {
			kind = "double"
		}
		key("d"+strconv.Itoa(k), "node", n, kind)
	}
	key("weight", "edge", "weight", "double")
	if c.Tracts.Length != nil {
		key("length", "edge", "length_mm", "double")
	}
	w.WriteString(`  <graph edgedefault="` + edgeDefault(c) + `">` + "\n")
	data := func(id, value string) {
		w.WriteString(`<data key="` + id + `">` + xmlText(value) + `</data>`)
	}
	for i := range c.Regions {
		w.WriteString(`    <node id="n` + strconv.Itoa(i) + `">`)
		data("label", labels[i])
		for k, f := range fieldsOf(&c.Regions[i], names) {
			if f.value != "" {
				data("d"+strconv.Itoa(k), f.value)
			}
		}
		w.WriteString("</node>\n")
	}
	eachEdge(c, func(t connectome.Tract) {
		w.WriteString(`    <edge source="n` + strconv.Itoa(t.From) + `" target="n` + strconv.Itoa(t.To) + `">`)
		data("weight", number(t.Weight))
		if !math.IsNaN(t.Length) {
			data("length", number(t.Length))
		}
		w.WriteString("</edge>\n")
	})
	w.WriteString("  </graph>\n</graphml>\n")
	return nil
}

func writeGEXF(w *bufio.Writer, c *connectome.Connectome) error {
	names := fieldNames(c)
	labels := writtenLabels(c)
	w.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	w.WriteString(`<gexf xmlns="http://gexf.net/1.3" version="1.3">` + "\n")
	w.WriteString(`  <graph defaultedgetype="` + edgeDefault(c) + `" mode="static">` + "\n")
	if len(names) > 0 {
		w.WriteString(`    <attributes class="node">` + "\n")
		for k, n := range names {
			w.WriteString(`      <attribute id="` + strconv.Itoa(k) + `" title="` + xmlText(n) + `" type="string"/>` + "\n")
		}
		w.WriteString("    </attributes>\n")
	}
	if c.Tracts.Length != nil {
		w.WriteString(`    <attributes class="edge"><attribute id="length" title="length_mm" type="double"/></attributes>` + "\n")
	}
	w.WriteString("    <nodes>\n")
	for i := range c.Regions {
		w.WriteString(`      <node id="n` + strconv.Itoa(i) + `" label="` + xmlText(labels[i]) + `"><attvalues>`)
		for k, f := range fieldsOf(&c.Regions[i], names) {
			if f.value != "" {
				w.WriteString(`<attvalue for="` + strconv.Itoa(k) + `" value="` + xmlText(f.value) + `"/>`)
			}
		}
		w.WriteString("</attvalues></node>\n")
	}
	w.WriteString("    </nodes>\n    <edges>\n")
	id := 0
	eachEdge(c, func(t connectome.Tract) {
		w.WriteString(`      <edge id="` + strconv.Itoa(id) + `" source="n` + strconv.Itoa(t.From) + `" target="n` + strconv.Itoa(t.To) + `" weight="` + number(t.Weight) + `">`)
		if !math.IsNaN(t.Length) {
			w.WriteString(`<attvalues><attvalue for="length" value="` + number(t.Length) + `"/></attvalues>`)
		}
		w.WriteString("</edge>\n")
		id++
	})
	w.WriteString("    </edges>\n  </graph>\n</gexf>\n")
	return nil
}

func jsonString(s string) string {
	b, err := json.Marshal(oneLine(s))
	if err != nil {
		return `""`
	}
	return string(b)
}

func writeNodeLink(w *bufio.Writer, c *connectome.Connectome) error {
	names := fieldNames(c)
	labels := writtenLabels(c)
	w.WriteString(`{"directed": ` + strconv.FormatBool(c.Directed) + `, "multigraph": false, "graph": {},` + "\n")
	w.WriteString(` "nodes": [`)
	for i := range c.Regions {
		if i > 0 {
			w.WriteByte(',')
		}
		w.WriteString("\n" + `  {"id": "n` + strconv.Itoa(i) + `", "label": ` + jsonString(labels[i]))
		for _, f := range fieldsOf(&c.Regions[i], names) {
			if f.value == "" || f.name == "id" {
				continue
			}
			value := jsonString(f.value)
			if f.name == "x" || f.name == "y" || f.name == "z" {
				value = f.value
			}
			w.WriteString(`, ` + jsonString(f.name) + `: ` + value)
		}
		w.WriteByte('}')
	}
	w.WriteString("\n ],\n" + ` "links": [`)
	first := true
	eachEdge(c, func(t connectome.Tract) {
		if !first {
			w.WriteByte(',')
		}
		first = false
		w.WriteString("\n" + `  {"source": "n` + strconv.Itoa(t.From) + `", "target": "n` + strconv.Itoa(t.To) + `", "weight": ` + number(t.Weight))
		if !math.IsNaN(t.Length) {
			w.WriteString(`, "length_mm": ` + number(t.Length))
		}
		w.WriteByte('}')
	})
	w.WriteString("\n ]}\n")
	return nil
}

// writeMDF exports to the ModECI Model Description Format, version 0.4: every
// region is a node with one port in and one out, every tract an edge with its
// weight and length.
func writeMDF(w *bufio.Writer, c *connectome.Connectome) error {
	names := c.Names()
	fields := fieldNames(c)
	id := func(i int) string { return jsonString(names[i]) }
	model := c.Name
	if model == "" {
		model = "connectome"
	}
	w.WriteString("{\n " + jsonString(model) + `: {` + "\n" + `  "format": "ModECI MDF v0.4",` + "\n" + `  "graphs": {` + "\n   " + jsonString(model) + `: {` + "\n" + `    "nodes": {`)
	for i := range c.Regions {
		if i > 0 {
			w.WriteByte(',')
		}
		w.WriteString("\n     " + id(i) + `: {"metadata": {`)
		sep := ""
		for _, f := range append([]field{{"label", oneLine(c.Regions[i].Label)}}, fieldsOf(&c.Regions[i], fields)...) {
			if f.value != "" {
				w.WriteString(sep + jsonString(f.name) + ": " + jsonString(f.value))
				sep = ", "
			}
		}
		w.WriteString(`}, "input_ports": {"in": {}}, "output_ports": {"out": {"value": "in"}}}`)
	}
	w.WriteString("\n    },\n" + `    "edges": {`)
	first, k := true, 0
	for t := range c.Tracts.All() {
		if !first {
			w.WriteByte(',')
		}
		first = false
		w.WriteString("\n     " + jsonString("tract_"+strconv.Itoa(k)) + `: {"sender": ` + id(t.From) + `, "receiver": ` + id(t.To) + `, "sender_port": "out", "receiver_port": "in", "parameters": {"weight": ` + number(t.Weight))
		if !math.IsNaN(t.Length) {
			w.WriteString(`, "length_mm": ` + number(t.Length))
		}
		w.WriteString("}}")
		k++
	}
	w.WriteString("\n    }\n   }\n  }\n }\n}\n")
	return nil
}
