package export

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/trailship/trailship/history"
)

// jsonWriter writes the answer of LookupEvents, as the AWS CLI prints it, with members of our own behind AWS's. Source: AWS
// CloudTrail API Reference, "Event".
type jsonWriter struct {
	to    *bufio.Writer
	begun bool
}

func newJSON(to io.Writer) *jsonWriter { return &jsonWriter{to: bufio.NewWriter(to)} }

type lookupEvent struct {
	EventID         string `json:"EventId"`
	EventName       string
	ReadOnly        string
	AccessKeyID     string `json:"AccessKeyId,omitempty"`
	EventTime       string `json:",omitempty"`
	EventSource     string
	Username        string           `json:",omitempty"`
	Resources       []lookupResource `json:",omitempty"`
	CloudTrailEvent string

	Outcome         string
	Reason          string `json:",omitempty"`
	SourceIPAddress string `json:",omitempty"`
	AWSRegion       string `json:"AwsRegion,omitempty"`
	AccountID       string `json:"RecipientAccountId,omitempty"`
}

type lookupResource struct {
	ResourceType string `json:",omitempty"`
	ResourceName string
}

// marshal is the event as LookupEvents has it. The record is a string, so that its numbers stay as they are.
func marshal(e *history.Event) ([]byte, error) {
	x := lookupEvent{
		EventID: e.ID, EventName: e.Name, ReadOnly: strconv.FormatBool(e.ReadOnly), AccessKeyID: e.AccessKey,
		EventTime: eventTime(e), EventSource: e.Source, Username: e.User, CloudTrailEvent: string(e.Record),
		Outcome: e.Outcome.String(), Reason: e.Reason, SourceIPAddress: e.SourceIP, AWSRegion: e.Region, AccountID: e.Account,
	}
	for _, r := range e.Resources {
		x.Resources = append(x.Resources, lookupResource{ResourceType: r.Type, ResourceName: r.Name})
	}
	text, err := json.Marshal(x)
	if err != nil {
		return nil, fmt.Errorf("writing event %s: %w", e.ID, err)
	}
	return text, nil
}

func (j *jsonWriter) Write(events []history.Event) error {
	for i := range events {
		text, err := marshal(&events[i])
		if err != nil {
			return err
		}
		j.begin()
		j.to.Write(text) //nolint:errcheck // Flush says it
	}
	return j.to.Flush()
}

// begin writes what stands in front of an event.
func (j *jsonWriter) begin() {
	text := ",\n"
	if !j.begun {
		text = "{\"Events\": [\n"
	}
	j.begun = true
	j.to.WriteString(text) //nolint:errcheck // Flush says it
}

func (j *jsonWriter) End() error {
	text := "\n]}\n"
	if !j.begun {
		text = "{\"Events\": []}\n"
	}
	j.to.WriteString(text) //nolint:errcheck // Flush says it
	return j.to.Flush()
}
