package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/trailship/trailship/history"
)

// usageOf is the help of an attribute's flag.
func usageOf(a history.Attribute) string {
	texts := map[history.Attribute]string{
		history.EventName:    "the call, such as RunInstances",
		history.User:         "who made it: a user, role or session",
		history.ResourceName: "name, id or ARN of something it was about",
		history.ResourceType: "type of such, as AWS::S3::Bucket",
		history.EventSource:  "the service, such as ec2.amazonaws.com",
		history.AccessKey:    "the key that signed it",
		history.EventID:      "its id",
		history.ReadOnly:     "true or false",
		history.OutcomeIs:    "success, failure, or denied: a failure for lack of permission",
		history.Account:      "the account it was recorded in",
		history.Region:       "the region",
		history.SourceIP:     "the address, or the AWS service, it came from",
		history.ErrorCode:    "why it failed, such as AccessDenied",
		history.Identity:     "what kind of caller, such as IAMUser or AssumedRole",
		history.Session:      "the session, as ndjson's principal id and creation date",
		history.UserAgent:    "the program that made it",
		history.MFA:          "true or false; calls that do not say are neither",
		history.Console:      "true: from a session of the console",
		history.Service:      "true: made by AWS itself, or on the user's behalf",
		history.EventType:    "such as AwsApiCall or AwsConsoleSignIn",
		history.Category:     "Management, Data, NetworkActivity or Insight",
		history.RequestID:    "the request's id",
		history.SharedID:     "the id that several accounts' records of one call share",
		history.InvokedBy:    "the service that called on the user's behalf",
		history.Issued:       "an access key or session that the call has made",
		history.TraitIs:      strings.Join(history.Words(history.TraitIs), ", "),
		history.First:        "call, address or region: the first one of its user in the store",
		history.LeafValue:    "a whole value in the request, the response or the details, such as p2.xlarge",
	}
	return texts[a]
}

// printQuestions lists what --question takes.
func printQuestions(to io.Writer) error {
	t := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "QUESTION\tTITLE\tTHE SAME WITH FILTERS")
	for _, q := range history.Questions() {
		fmt.Fprintf(t, "%s\t%s\t%s\n", q.Name, q.Title, history.Command(&q.Query))
	}
	return t.Flush()
}
