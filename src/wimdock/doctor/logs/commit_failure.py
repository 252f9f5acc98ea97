r"""What DISM.log says of a mount that cannot be committed: the lines of KB 4517870, in their order.

The image library's frames come first, the innermost of them ahead; then DISM's providers, from the
one that called the library outwards. Functions and line numbers are those of the article.
"""

from __future__ import annotations

from wimdock.doctor.logs.dism_form import DismLog

BAD_PATHNAME = 0x800700A1

_WIM = "DISM WIM Provider"
_IMAGING = "DISM Imaging Provider"
_PROVIDERS = r"onecore\base\ntsetup\opktools\dism\providers"
_TEXT = "The specified path is invalid."


def write_commit_failure(log: DismLog, code: int) -> None:
    """Append what is known of such a failure; `code` is the HRESULT with which the commit ended.

    For 0x800700A1 these are the article's lines. For any other code nobody knows which functions
    of the library were on the way, and only the outermost is named.
    """
    hresult = f"(hr:0x{code:08x})"
    if code != BAD_PATHNAME:
        log.error(_WIM, f"The image could not be unmounted. - CWimImage::Unmount{hresult}")
        return
    log.info(
        _WIM,
        "[GetFileStorageTierClass:(80) -> StorageTiering not supported] (null) (HRESULT=0x0) - "
        "CWimManager::WimProviderMsgLogCallback",
        thread=False,
    )
    log.stack(code, "ImageRecaptureDirectory", 141, _TEXT)
    log.stack(code, "WIMCommitImageHandle", 1417, _TEXT)
    log.error(_WIM, rf"{_PROVIDERS}\wimprovider\dll\wimimage.cpp:194 - CWimImage::Save{hresult}")
    log.error(_WIM, f'"Could not commit changes during unmount." - CWimImage::Unmount{hresult}')
    for line, function in ((1082, "InternalCmdUnmount"), (536, "ExecuteCmdLine")):
        log.error(
            _IMAGING,
            rf"{_PROVIDERS}\imagingprovider\dll\genericimagingmanager.cpp:{line} - "
            f"CGenericImagingManager::{function}{hresult}",
        )
