/// The page of `weir compare --report`: its template, style and script, as they lie beside this file.
///
/// SwiftPM embeds the files' bytes in the binary, so that neither a bundle nor a directory has to come with it.
public enum ComparePage {
    public static var template: String { String(decoding: PackageResources.compare_html, as: UTF8.self) }
    public static var style: String { String(decoding: PackageResources.compare_css, as: UTF8.self) }
    public static var script: String { String(decoding: PackageResources.compare_js, as: UTF8.self) }
}
