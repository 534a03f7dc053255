"""
Every kind of file that a package may contain: its folder, and the name of its component.

`sfcode.metadata.types` has the types whose contents are known. The others are listed here: an org
stores them as they come and gives them back.
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/file_based.htm has the folders.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sfcode.metadata.types import CHILDREN, TYPES


@dataclass(frozen=True, slots=True)
class FileType:
    """A metadata type as describeMetadata describes it."""

    name: str
    directory: str
    suffix: str
    meta_file: bool = False
    """Content in one file, properties in another, `-meta.xml`."""
    in_folder: bool = False
    bundle: bool = False
    """A folder of files is one component."""
    modelled: bool = False
    """Its contents are judged; otherwise they are only kept."""

    @property
    def children(self) -> tuple[str, ...]:
        """List the types of components inside its files."""
        return tuple(sorted(CHILDREN.get(self.name, {}).values()))


# Type, folder and suffix; `meta`, `folder` and `bundle` as in FileType.
KEPT_ONLY = """
ApexClass classes cls meta | ApexComponent components component meta | ApexPage pages page meta
ApexTestSuite testSuites testSuite | ApexTrigger triggers trigger meta | AppMenu appMenus appMenu
ApprovalProcess approvalProcesses approvalProcess | AssignmentRules assignmentRules assignmentRules
AuraDefinitionBundle aura - bundle | AuthProvider authproviders authprovider
AutoResponseRules autoResponseRules autoResponseRules | Certificate certs crt meta
ConnectedApp connectedApps connectedApp | CorsWhitelistOrigin corsWhitelistOrigins corsWhitelistOrigin
CspTrustedSite cspTrustedSites cspTrustedSite | CustomApplication applications app
CustomLabels labels labels | CustomNotificationType notificationtypes notiftype
CustomObjectTranslation objectTranslations objectTranslation | CustomPermission customPermissions customPermission
CustomSite sites site | CustomTab tabs tab | Dashboard dashboards dashboard folder
DelegateGroup delegateGroups delegateGroup | Document documents - meta folder | DuplicateRule duplicateRules duplicateRule
EmailTemplate email email meta folder | EscalationRules escalationRules escalationRules
ExternalCredential externalCredentials externalCredential | ExternalDataSource dataSources dataSource
ExternalServiceRegistration externalServiceRegistrations externalServiceRegistration
FlexiPage flexipages flexipage | FlowTest flowtests flowtest | GlobalValueSet globalValueSets globalValueSet
Group groups group | HomePageLayout homePageLayouts homePageLayout | InstalledPackage installedPackages installedPackage
Layout layouts layout | LeadConvertSettings LeadConvertSettings LeadConvertSetting | Letterhead letterhead letter folder
LightningComponentBundle lwc - bundle | LightningMessageChannel messageChannels messageChannel
MatchingRules matchingRules matchingRule | NamedCredential namedCredentials namedCredential
Network networks network | PathAssistant pathAssistants pathAssistant
PermissionSetGroup permissionsetgroups permissionsetgroup | PlatformEventChannel platformEventChannels platformEventChannel
PlatformEventChannelMember platformEventChannelMembers platformEventChannelMember
Queue queues queue | QuickAction quickActions quickAction | RemoteSiteSetting remoteSiteSettings remoteSite
Role roles role | Settings settings settings | SharingRules sharingRules sharingRules
SharingSet sharingSets sharingSet | StandardValueSet standardValueSets standardValueSet
TopicsForObjects topicsForObjects topicsForObjects | Translations translations translation
"""


def _parse_file_type(line: str) -> FileType:
    name, directory, suffix, *words = line.split()
    return FileType(
        name,
        directory,
        "" if suffix == "-" else suffix,
        meta_file="meta" in words,
        in_folder="folder" in words,
        bundle="bundle" in words,
    )


FILE_TYPES: Mapping[str, FileType] = {
    kind.name: kind
    for kind in sorted(
        (
            *(
                FileType(
                    kind.name,
                    kind.directory,
                    kind.suffix,
                    meta_file=kind.has_content,
                    in_folder=kind.name == "Report",
                    modelled=True,
                )
                for kind in TYPES.values()
                if not kind.parent
            ),
            *(_parse_file_type(entry.strip()) for entry in KEPT_ONLY.replace("\n", "|").split("|") if entry.strip()),
        ),
        key=lambda kind: kind.name,
    )
}
"""The types that have files of their own, by name."""

BY_DIRECTORY: Mapping[str, FileType] = {kind.directory: kind for kind in FILE_TYPES.values()}

NO_WILDCARD = frozenset({"Dashboard", "Document", "EmailTemplate", "Report", "StandardValueSet"})
"""Types of which `*` gives nothing."""


def is_known(type_: str) -> bool:
    """Return whether a package.xml may contain this type."""
    return type_ in FILE_TYPES or type_ in TYPES


def parent_of(type_: str) -> str:
    """Return the type whose files contain this one; the type itself if it has files of its own."""
    kind = TYPES.get(type_)
    return kind.parent if kind and kind.parent else type_
