package web

import "github.com/trailship/trailship/history"

// histogram is a history.Histogram as the page gets it.
type histogram struct {
	Bars   []bar  `json:"bars"`
	Step   int64  `json:"step"` // seconds
	Total  int64  `json:"total"`
	Failed int64  `json:"failed"`
	Exact  bool   `json:"exact"`
	Lacks  string `json:"lacks"`
}

// bar counts events; failed are those that were denied, too.
type bar struct {
	From   string `json:"from"`
	To     string `json:"to"`
	Count  int64  `json:"count"`
	Failed int64  `json:"failed"`
}

func histogramOf(h *history.Histogram) histogram {
	out := histogram{Bars: make([]bar, len(h.Bars)), Step: int64(h.Step.Seconds()), Total: h.Total, Failed: h.Failed, Exact: h.Exact, Lacks: h.Lacks}
	for i, b := range h.Bars {
		out.Bars[i] = bar{instant(b.From), instant(b.To), b.Count(), b.Failure + b.Denied}
	}
	return out
}

// facets are history.Facets as the page gets them. A base of 0 is the whole store.
type facets struct {
	Facets []facet `json:"facets"`
	Base   int64   `json:"base"`
	Exact  bool    `json:"exact"`
	Lacks  string  `json:"lacks"`
}

type facet struct {
	Name   string  `json:"name"`
	Values []value `json:"values"`
	More   bool    `json:"more"`
}

type value struct {
	Value string `json:"value"`
	Count int64  `json:"count"`
}

func facetsOf(f *history.Facets) facets {
	out := facets{Facets: make([]facet, len(f.Facets)), Base: f.Base, Exact: f.Exact, Lacks: f.Lacks}
	for i, one := range f.Facets {
		out.Facets[i] = facet{Name: string(one.Attribute), Values: make([]value, len(one.Values)), More: one.More}
		for j, v := range one.Values {
			out.Facets[i].Values[j] = value(v)
		}
	}
	return out
}
