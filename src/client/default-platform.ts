/** The platform of the runtime that the package was loaded in, chosen by the `imports` map of package.json.
 * The only importer of `#platform` in the client, so that no other file knows which runtime it runs on.
 */
export { platform as defaultPlatform } from '#platform';
