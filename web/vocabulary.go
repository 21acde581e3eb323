package web

import (
	"context"

	"github.com/trailship/trailship/history"
)

// attribute is a history.Attribute as the page gets it.
type attribute struct {
	Name    string `json:"name"`
	Label   string `json:"label"`
	Example string `json:"example,omitempty"`
	Words   []word `json:"words,omitempty"` // all values, where they are a few fixed ones
	Counted bool   `json:"counted"`         // it has facets
}

// word is a value and how the page shows it.
type word struct {
	Value string `json:"value"`
	Label string `json:"label"`
}

// question is a history.Question as the page gets it.
type question struct {
	Name        string   `json:"name"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Query       string   `json:"query"` // for the page's address
	By          []string `json:"by"`
}

// extent is a history.Extent as the page gets it.
type extent struct {
	Oldest  string   `json:"oldest"`
	Newest  string   `json:"newest"`
	Events  int64    `json:"events"`
	Loading *loading `json:"loading,omitempty"`
}

type loading struct {
	Files     int64 `json:"files"`
	FilesDone int64 `json:"filesDone"`
	Events    int64 `json:"events"`
	Refused   int64 `json:"refused"`
}

func (h *handler) vocabulary(ctx context.Context, a *asked) (any, error) {
	if len(a.parameters) > 0 {
		return nil, history.Wrong("the vocabulary is asked for without parameters")
	}
	stored, err := h.search.Extent(ctx)
	if err != nil {
		return nil, err
	}
	answer := struct {
		Store      string      `json:"store"`
		Extent     extent      `json:"extent"`
		Attributes []attribute `json:"attributes"`
		Questions  []question  `json:"questions"`
	}{h.store, extentOf(&stored), nil, questionsOf(history.Questions())}
	for _, name := range history.Attributes() {
		answer.Attributes = append(answer.Attributes, attributeOf(name))
	}
	return answer, nil
}

// extent answers alone, since the page asks for it often while a store is loading.
func (h *handler) extent(ctx context.Context, a *asked) (any, error) {
	if len(a.parameters) > 0 {
		return nil, history.Wrong("the extent is asked for without parameters")
	}
	stored, err := h.search.Extent(ctx)
	return extentOf(&stored), err
}

func extentOf(e *history.Extent) extent {
	out := extent{Oldest: instant(e.Oldest), Newest: instant(e.Newest), Events: e.Events}
	if l := e.Loading; l != nil {
		out.Loading = &loading{l.Files, l.FilesDone, l.Events, l.Refused}
	}
	return out
}

func questionsOf(all []history.Question) []question {
	out := make([]question, len(all))
	for i := range all {
		q := &all[i]
		out[i] = question{Name: q.Name, Title: q.Title, Description: q.Description, Query: q.Query.Parameters().Encode(), By: []string{}}
		for _, a := range q.By {
			out[i].By = append(out[i].By, string(a))
		}
	}
	return out
}

func attributeOf(name history.Attribute) attribute {
	label, example := labelOf(name)
	out := attribute{Name: string(name), Label: label, Example: example, Counted: history.Counted(name)}
	for _, value := range history.Words(name) {
		out.Words = append(out.Words, word{value, wordOf(name, value)})
	}
	return out
}

// labelOf is the console's label of an attribute where the console has it, and an example of a value.
func labelOf(name history.Attribute) (label, example string) {
	labels := map[history.Attribute][2]string{
		history.EventName:    {"Event name", "RunInstances, or Delete*"},
		history.User:         {"User name", "a user, role or session, an ARN"},
		history.ResourceName: {"Resource name", "a name, an id or an ARN"},
		history.ResourceType: {"Resource type", "AWS::S3::Bucket"},
		history.EventSource:  {"Event source", "ec2.amazonaws.com"},
		history.AccessKey:    {"AWS access key", "AKIAIOSFODNN7EXAMPLE"},
		history.EventID:      {"Event ID", ""},
		history.ReadOnly:     {"Read-only", ""},
		history.OutcomeIs:    {"Outcome", ""},
		history.Account:      {"Account", "111122223333"},
		history.Region:       {"AWS region", "us-east-1"},
		history.SourceIP:     {"Source IP address", "192.0.2.1, or 192.0.2.*"},
		history.ErrorCode:    {"Error code", "AccessDenied*"},
		history.Identity:     {"Identity type", "AssumedRole"},
		history.Session:      {"Session", ""},
		history.UserAgent:    {"User agent", "aws-cli*"},
		history.MFA:          {"MFA", ""},
		history.Console:      {"Console session", ""},
		history.Service:      {"Made by AWS services", ""},
		history.EventType:    {"Event type", "AwsApiCall"},
		history.Category:     {"Event category", "Management"},
		history.RequestID:    {"Request ID", ""},
		history.SharedID:     {"Shared event ID", ""},
		history.InvokedBy:    {"Invoked by", "cloudformation.amazonaws.com"},
		history.Issued:       {"Issued credentials", "an access key that the call has made"},
		history.TraitIs:      {"Trait", ""},
		history.First:        {"First time", ""},
		history.LeafValue:    {"Value in record", "p2.xlarge, in the request or the response"},
	}
	found, ok := labels[name]
	if !ok {
		return string(name), ""
	}
	return found[0], found[1]
}

// wordOf is how a fixed value is shown.
func wordOf(name history.Attribute, value string) string {
	words := map[string]string{
		"success": "Success", "failure": "Failure", "denied": "Denied", "true": "Yes", "false": "No",
		"open-to-all": "open to all addresses", "shared": "shared or made public", "administrator": "administrator’s rights",
		"cross-account": "across accounts", "call": "of this user with this call", "address": "of this user from this address",
		"region": "of this user in this region",
	}
	if shown, ok := words[value]; ok && history.Words(name) != nil {
		return shown
	}
	return value
}
