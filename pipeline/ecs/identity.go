package ecs

import (
	"bytes"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// identity is a record's userIdentity, read in one pass. Source: AWS CloudTrail User Guide, "CloudTrail userIdentity
// element", and MAPPING section 4.
type identity struct {
	typ, userName, principalID, arn, accountID, accessKeyID cloudtrail.Value

	invokedBy, invokedByDelegate, credentialID, identityProvider, inScopeOf, onBehalfOf cloudtrail.Value

	mfa, creationDate, ec2RoleDelivery, sourceIdentity, assumedRoot, signInSession, webIDFederation cloudtrail.Value

	issuer  issuer
	session bool // there is a sessionContext

	kind    identityKind
	created moment // creationDate

	// What becomes of it in the document, see settle.
	name, id                    cloudtrail.Value
	email                       item
	sessionName, sessionMailbox item
}

type issuer struct{ typ, principalID, arn, accountID, userName cloudtrail.Value }

// identityKind is an identity type that some rule of the mapping asks for.
type identityKind uint8

const (
	otherIdentity identityKind = iota
	iamUser
	rootUser
	assumedRole
	federatedUser
	identityCenterUser
	awsService
)

func kindOfIdentity(typ []byte) identityKind {
	switch string(typ) {
	case "IAMUser":
		return iamUser
	case "Root":
		return rootUser
	case "AssumedRole":
		return assumedRole
	case "FederatedUser":
		return federatedUser
	case "IdentityCenterUser":
		return identityCenterUser
	case "AWSService":
		return awsService
	}
	return otherIdentity
}

// read takes in a userIdentity.
func (d *identity) read(v cloudtrail.Value) {
	for m := v.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "type":
			d.typ, d.kind = m, kindOfIdentity(m.Text())
		case "userName":
			d.userName = m
		case "principalId":
			d.principalID = m
		case "arn":
			d.arn = m
		case "accountId":
			d.accountID = m
		case "accessKeyId":
			d.accessKeyID = m
		case "invokedBy":
			d.invokedBy = m
		case "invokedByDelegate":
			d.invokedByDelegate = m.Get("accountId")
		case "credentialId":
			d.credentialID = m
		case "identityProvider":
			d.identityProvider = m
		case "inScopeOf":
			d.inScopeOf = m
		case "onBehalfOf":
			d.onBehalfOf = m
		case "sessionContext":
			d.session = true
			d.readSession(m)
		}
	}
}

func (d *identity) readSession(v cloudtrail.Value) {
	for m := v.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "attributes":
			d.mfa, d.creationDate = m.Get("mfaAuthenticated"), m.Get("creationDate")
		case "sessionIssuer":
			d.issuer.read(m)
		case "ec2RoleDelivery":
			d.ec2RoleDelivery = m
		case "sourceIdentity":
			d.sourceIdentity = m
		case "assumedRoot":
			d.assumedRoot = m
		case "signInSessionArn":
			d.signInSession = m
		case "webIdFederationData":
			d.webIDFederation = m
		}
	}
}

func (s *issuer) read(v cloudtrail.Value) {
	for m := v.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "type":
			s.typ = m
		case "principalId":
			s.principalID = m
		case "arn":
			s.arn = m
		case "accountId":
			s.accountID = m
		case "userName":
			s.userName = m
		}
	}
}

// settle decides who the user of the document is. fallback is a name for events whose identity has none.
func (d *identity) settle(fallback cloudtrail.Value) {
	d.name, d.id = d.userName, d.principalID
	role := d.kind == assumedRole || d.kind == federatedUser
	if role && d.issuer.userName.Exists() {
		d.name = d.issuer.userName
	}
	if !d.name.Exists() {
		d.name = fallback
	}
	if d.kind == identityCenterUser && !d.id.Exists() {
		d.id = d.onBehalfOf.Get("userId")
	}
	if role || d.kind == identityCenterUser {
		d.settleSession()
	}
	if name := itemOf(d.name); len(d.email.text) == 0 && bytes.IndexByte(name.text, '@') > 0 {
		d.email = name
	}
}

// settleSession takes the session's name from an ARN of STS: what follows the last slash. Single sign-on uses e-mail
// addresses for it.
func (d *identity) settleSession() {
	arn := itemOf(d.arn)
	rest, ok := bytes.CutPrefix(arn.text, []byte("arn:"))
	if !ok {
		return
	}
	_, rest, _ = bytes.Cut(rest, []byte(":"))
	slash := bytes.LastIndexByte(rest, '/')
	if !bytes.HasPrefix(rest, []byte("sts:")) || slash < 0 {
		return
	}
	d.sessionName = item{text: rest[slash+1:], plain: arn.plain}
	if at := bytes.IndexByte(d.sessionName.text, '@'); at >= 0 {
		d.email = d.sessionName
		d.sessionMailbox = item{text: d.sessionName.text[:at], plain: arn.plain}
	}
}

// putIdentity appends aws.cloudtrail.user_identity.
func (e *Encoder) putIdentity(dst []byte) []byte {
	d := &e.who
	mark := len(dst)
	dst = append(dst, `"user_identity":{`...)
	dst = e.put(dst, `"type":`, d.typ)
	dst = e.put(dst, `"arn":`, d.arn)
	dst = e.put(dst, `"access_key_id":`, d.accessKeyID)
	dst = e.put(dst, `"invoked_by":`, d.invokedBy)
	if d.session {
		dst = e.putSession(dst)
	}
	dst = e.putOnly(dst, `"invoked_by_delegate":{"account_id":`, d.invokedByDelegate)
	dst = e.put(dst, `"credential_id":`, d.credentialID)
	dst = e.put(dst, `"identity_provider":`, d.identityProvider)
	if d.inScopeOf.Exists() {
		part := len(dst)
		dst = append(dst, `"in_scope_of":{`...)
		dst = e.put(dst, `"issuer_type":`, d.inScopeOf.Get("issuerType"))
		dst = e.put(dst, `"credentials_issued_to":`, d.inScopeOf.Get("credentialsIssuedTo"))
		dst = e.put(dst, `"source_arn":`, d.inScopeOf.Get("sourceArn"))
		dst = e.put(dst, `"source_account":`, d.inScopeOf.Get("sourceAccount"))
		dst = end(dst, part, '}')
	}
	if d.onBehalfOf.Exists() {
		part := len(dst)
		dst = append(dst, `"on_behalf_of":{`...)
		dst = e.put(dst, `"user_id":`, d.onBehalfOf.Get("userId"))
		dst = e.put(dst, `"identity_store_arn":`, d.onBehalfOf.Get("identityStoreArn"))
		dst = end(dst, part, '}')
	}
	return end(dst, mark, '}')
}

func (e *Encoder) putSession(dst []byte) []byte {
	d := &e.who
	mark := len(dst)
	dst = append(dst, `"session_context":{`...)
	dst = e.put(dst, `"mfa_authenticated":`, d.mfa)
	dst = putMoment(dst, `"creation_date":`, &d.created)
	part := len(dst)
	dst = append(dst, `"session_issuer":{`...)
	dst = e.put(dst, `"type":`, d.issuer.typ)
	dst = e.put(dst, `"principal_id":`, d.issuer.principalID)
	dst = e.put(dst, `"arn":`, d.issuer.arn)
	dst = e.put(dst, `"account_id":`, d.issuer.accountID)
	dst = end(dst, part, '}')
	dst = e.put(dst, `"ec2_role_delivery":`, d.ec2RoleDelivery)
	dst = e.put(dst, `"source_identity":`, d.sourceIdentity)
	if isBoolean(d.assumedRoot) {
		dst = e.put(dst, `"assumed_root":`, d.assumedRoot)
	}
	dst = e.put(dst, `"sign_in_session_arn":`, d.signInSession)
	if d.webIDFederation.Exists() {
		dst = e.putFederation(dst, d.webIDFederation)
	}
	return end(dst, mark, '}')
}

func (e *Encoder) putFederation(dst []byte, v cloudtrail.Value) []byte {
	const path = len("aws.cloudtrail.user_identity.session_context.web_id_federation_data.attributes")
	mark := len(dst)
	dst = append(dst, `"web_id_federation_data":{`...)
	dst = e.put(dst, `"federated_provider":`, v.Get("federatedProvider"))
	if !e.degraded {
		dst = e.putFlat(dst, `"attributes":`, v.Get("attributes"), path, false)
	}
	return end(dst, mark, '}')
}

// isBoolean reports whether a boolean field takes v.
func isBoolean(v cloudtrail.Value) bool {
	return v.Kind() == cloudtrail.KindTrue || v.Kind() == cloudtrail.KindFalse || v.Is("true") || v.Is("false")
}

// putUser appends user.
func (e *Encoder) putUser(dst []byte) []byte {
	d := &e.who
	mark := len(dst)
	dst = append(dst, `"user":{`...)
	dst = e.put(dst, `"name":`, d.name)
	dst = e.put(dst, `"id":`, d.id)
	dst = putText(dst, `"email":`, d.email)
	dst = e.putActor(dst, userEntity)
	if p := &e.params; p.userName.Exists() || p.userID.Exists() || len(e.targets) > 0 {
		part := len(dst)
		dst = append(dst, `"target":{`...)
		dst = e.put(dst, `"name":`, p.userName)
		dst = e.put(dst, `"id":`, p.userID)
		dst = e.putTargets(dst, userEntity)
		dst = end(dst, part, '}')
	}
	dst = e.putOnly(dst, `"changes":{"name":`, e.params.newUserName)
	dst = append(dst, e.fragments.User...)
	return end(dst, mark, '}')
}
