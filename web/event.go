package web

import (
	"time"

	"github.com/trailship/trailship/sinks/local"
)

// event is a local.Event as the page gets it.
type event struct {
	ID        string     `json:"id"`
	Time      string     `json:"time"` // RFC 3339, UTC; "" when the record has none
	Name      string     `json:"name"`
	Source    string     `json:"source"`
	User      string     `json:"user"`
	Identity  string     `json:"identity"`
	Role      string     `json:"role"`
	InvokedBy string     `json:"invokedBy"`
	Session   string     `json:"session"`
	AccessKey string     `json:"accessKey"`
	Account   string     `json:"account"`
	Region    string     `json:"region"`
	SourceIP  string     `json:"sourceIp"`
	UserAgent string     `json:"userAgent"`
	ReadOnly  bool       `json:"readOnly"`
	Outcome   string     `json:"outcome"`
	ErrorCode string     `json:"errorCode"`
	Reason    string     `json:"reason"`
	Resources []resource `json:"resources"`
}

type resource struct {
	Type string `json:"type"`
	Name string `json:"name"`
}

func eventOf(e *local.Event) event {
	out := event{
		ID: e.ID, Name: e.Name, Source: e.Source, User: e.User, Identity: e.Identity, Role: e.Role, InvokedBy: e.InvokedBy,
		Session: e.Session, AccessKey: e.AccessKey, Account: e.Account, Region: e.Region, SourceIP: e.SourceIP,
		UserAgent: e.UserAgent, ReadOnly: e.ReadOnly, Outcome: e.Outcome.String(), ErrorCode: e.ErrorCode, Reason: e.Reason,
		Resources: make([]resource, len(e.Resources)),
	}
	if !e.Time.IsZero() {
		out.Time = e.Time.UTC().Format(time.RFC3339)
	}
	for i, r := range e.Resources {
		out.Resources[i] = resource(r)
	}
	return out
}
