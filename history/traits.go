package history

import (
	"strings"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// readTraits takes a closer look at what the call asked for.
func (d *Description) readTraits(r *cloudtrail.Record) {
	service, _, _ := strings.Cut(d.Source, ".")
	request := r.Field(cloudtrail.RequestParameters)
	if service == "ec2" && opens(d.Name) && holdsEverywhere(request) {
		d.Traits = append(d.Traits, TraitOpen)
	}
	if shares(service, d.Name, request) {
		d.Traits = append(d.Traits, TraitShared)
	}
	if service == "iam" && strings.HasSuffix(text(request.Get("policyArn")), "/AdministratorAccess") && strings.HasPrefix(d.Name, "Attach") {
		d.Traits = append(d.Traits, TraitAdmin)
	}
	if crossesAccounts(r) {
		d.Traits = append(d.Traits, TraitCrossAccount)
	}
}

// opens reports whether a call can let addresses in or out.
func opens(name string) bool {
	return strings.HasPrefix(name, "AuthorizeSecurityGroup") || name == "ModifySecurityGroupRules"
}

// holdsEverywhere reports whether a range of all addresses stands somewhere below v. Its key differs from call to call:
// cidrIp, cidrIpv6, CidrIpv4.
func holdsEverywhere(v cloudtrail.Value) bool {
	switch v.Kind() {
	case cloudtrail.KindString:
		return v.Is("0.0.0.0/0") || v.Is("::/0")
	case cloudtrail.KindObject, cloudtrail.KindArray:
		for m := v.First(); m.Exists(); m = m.Next() {
			if holdsEverywhere(m) {
				return true
			}
		}
	}
	return false
}

// shares reports whether a call gives something to other accounts or to all. Of a bucket's policy and list it is the
// change that counts: what it means is in its text. Sources: the API references of Amazon EC2, RDS, S3 and AWS Lambda.
func shares(service, name string, request cloudtrail.Value) bool {
	switch service {
	case "s3":
		return name == "PutBucketPolicy" || name == "PutBucketAcl"
	case "lambda":
		return strings.HasPrefix(name, "AddPermission")
	case "ec2":
		switch name {
		case "ModifySnapshotAttribute":
			return holds(request.Get("createVolumePermission").Get("add"))
		case "ModifyImageAttribute":
			return holds(request.Get("launchPermission").Get("add"))
		}
	case "rds":
		return (name == "ModifyDBSnapshotAttribute" || name == "ModifyDBClusterSnapshotAttribute") && holds(request.Get("valuesToAdd"))
	}
	return false
}

// holds reports whether there is a value somewhere below v.
func holds(v cloudtrail.Value) bool {
	switch v.Kind() {
	case cloudtrail.KindObject, cloudtrail.KindArray:
		for m := v.First(); m.Exists(); m = m.Next() {
			if holds(m) {
				return true
			}
		}
		return false
	}
	return text(v) != ""
}

// crossesAccounts reports whether caller, resources and the account called are not all of one account.
func crossesAccounts(r *cloudtrail.Record) bool {
	who := r.Field(cloudtrail.UserIdentity)
	if text(who.Get("type")) == "AWSAccount" {
		return true
	}
	own := text(r.Field(cloudtrail.RecipientAccountID))
	if own == "" {
		return false
	}
	if caller := text(who.Get("accountId")); caller != "" && caller != own {
		return true
	}
	for m := r.Field(cloudtrail.Resources).First(); m.Exists(); m = m.Next() {
		if other := text(m.Get("accountId")); other != "" && other != own {
			return true
		}
	}
	return false
}

// readIssued finds the credentials that a call has made. Source: AWS Security Token Service API Reference, AssumeRole and
// GetFederationToken; AWS Identity and Access Management API Reference, CreateAccessKey.
func (d *Description) readIssued(r *cloudtrail.Record) {
	answer := r.Field(cloudtrail.ResponseElements)
	credentials := answer.Get("credentials")
	d.Issued = compact(
		text(credentials.Get("accessKeyId")),
		text(answer.Get("roleCredentials").Get("accessKeyId")),
		text(answer.Get("accessKey").Get("accessKeyId")),
	)
	principal := firstOf(text(answer.Get("assumedRoleUser").Get("assumedRoleId")), text(answer.Get("federatedUser").Get("federatedUserId")))
	if principal != "" && !d.Time.IsZero() { // a session's creationDate is the time of the call
		d.Issued = append(d.Issued, sessionOf(principal, d.Time.Format(sessionTime), ""))
	}
}

// sessionTime is how a record writes a session's creationDate.
const sessionTime = "2006-01-02T15:04:05Z"
