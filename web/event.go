package web

import "github.com/trailship/trailship/history"

// event is a history.Event as the page gets it.
type event struct {
	ID        string     `json:"id"`
	RequestID string     `json:"requestId"`
	SharedID  string     `json:"sharedId,omitempty"`
	Time      string     `json:"time"` // "" when the record has none
	Name      string     `json:"name"`
	Type      string     `json:"type"`
	Category  string     `json:"category"`
	Source    string     `json:"source"`
	User      string     `json:"user"`
	Identity  string     `json:"identity"`
	ARN       string     `json:"arn"`
	Role      string     `json:"role"`
	RoleARN   string     `json:"roleArn,omitempty"`
	InvokedBy string     `json:"invokedBy"`
	Session   string     `json:"session"`
	AccessKey string     `json:"accessKey"`
	Account   string     `json:"account"`
	Region    string     `json:"region"`
	SourceIP  string     `json:"sourceIp"`
	UserAgent string     `json:"userAgent"`
	ReadOnly  bool       `json:"readOnly"`
	MFA       string     `json:"mfa"`
	Console   bool       `json:"console"`
	Service   bool       `json:"service"`
	Outcome   string     `json:"outcome"`
	ErrorCode string     `json:"errorCode"`
	Reason    string     `json:"reason"`
	Resources []resource `json:"resources"`
	Issued    []string   `json:"issued,omitempty"`
	Traits    []string   `json:"traits,omitempty"`
	Tags      []tag      `json:"tags,omitempty"`
}

type resource struct {
	Type string `json:"type"`
	Name string `json:"name"`
}

type tag struct {
	Of    string `json:"of"`
	Key   string `json:"key"`
	Value string `json:"value"`
}

func eventOf(e *history.Event) event {
	out := event{
		ID: e.ID, RequestID: e.RequestID, SharedID: e.SharedID, Time: instant(e.Time), Name: e.Name, Type: e.Type,
		Category: e.Category, Source: e.Source, User: e.User, Identity: e.Identity, ARN: e.ARN, Role: e.Role, RoleARN: e.RoleARN,
		InvokedBy: e.InvokedBy, Session: e.Session, AccessKey: e.AccessKey, Account: e.Account, Region: e.Region,
		SourceIP: e.SourceIP, UserAgent: e.UserAgent, ReadOnly: e.ReadOnly, MFA: e.MFA, Console: e.Console, Service: e.Service,
		Outcome: e.Outcome.String(), ErrorCode: e.ErrorCode, Reason: e.Reason, Issued: e.Issued, Traits: e.Traits,
		Resources: make([]resource, len(e.Resources)),
	}
	for i, r := range e.Resources {
		out.Resources[i] = resource(r)
	}
	for _, t := range e.Tags {
		out.Tags = append(out.Tags, tag(t))
	}
	return out
}
