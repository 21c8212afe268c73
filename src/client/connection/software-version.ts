/** The name and version that ApiVersions tells the broker (KIP-511); a test holds it against package.json. */

/** `client_software_name`. */
export const softwareName = 'kafka-wire';

/** `client_software_version`. */
export const softwareVersion = '0.1.0';
